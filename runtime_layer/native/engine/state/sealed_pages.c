/* Tests: tests/integration/from_code/test_python.py. */
#include "sealed_pages.h"

#include "../base/linux_abi.h"
#include "syscall_policy.h"

void *pages_copy(const void *at, uint64_t size)
{
    void *copy = new_memory(size);
    if (copy)
        copy_bytes(copy, at, size);
    return copy;
}

void pages_drop(void *copy, uint64_t size)
{
    if (copy)
        KERNEL(munmap, copy, size);
}

bool pages_replace(void *copy, void *at, uint64_t size, uint64_t rights)
{
    if (!is_error(KERNEL(mprotect, copy, size, rights)) &&
        !is_error(KERNEL(mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at)))
        return true;
    pages_drop(copy, size);
    return false;
}

bool replace_gate_table(const struct sealed *s, bool ready)
{
    uint8_t *table = pages_copy(gate_table, PAGE);
    if (!table)
        return false;
    table[GATE_READY] = ready;
    guard_calls(table, s);
    return pages_replace(table, gate_table, PAGE, PROT_READ);
}
