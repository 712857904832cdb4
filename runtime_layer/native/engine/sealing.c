#include "sealing.h"

#include "guarded.h"
#include "process.h"
#include "state.h"

enum { PATIENCE = 10000 /* milliseconds: patching a program's text waits for all its threads */ };

void *pages_copy(const void *at, uint64_t size)
{
    int64_t copy = KERNEL(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(copy))
        return NULL;
    copy_bytes((void *)copy, at, size);
    return (void *)copy;
}

void pages_drop(void *copy, uint64_t size)
{
    if (copy)
        KERNEL(munmap, copy, size);
}

bool pages_exchange(void *copy, const void *at, uint64_t size, uint64_t protection)
{
    bool done = !is_error(KERNEL(mprotect, copy, size, protection)) &&
                !is_error(KERNEL(mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at));
    if (!done)
        pages_drop(copy, size);
    return done;
}

bool sealing_begin(uint64_t *signals)
{
    const uint64_t all = UINT64_MAX, millisecond[2] = {0, 1000000};
    KERNEL(rt_sigprocmask, 0 /* SIG_BLOCK */, &all, signals, sizeof all);
    for (uint32_t turn = 0; turn < PATIENCE; turn++) {
        if (!__atomic_exchange_n(seal_of_process(), 1, __ATOMIC_ACQ_REL))
            return true;
        KERNEL(nanosleep, millisecond, 0);
    }
    KERNEL(rt_sigprocmask, 2 /* SIG_SETMASK */, signals, 0, sizeof *signals);
    return false;
}

void sealing_end(const uint64_t *signals)
{
    __atomic_store_n(seal_of_process(), 0, __ATOMIC_RELEASE);
    KERNEL(rt_sigprocmask, 2 /* SIG_SETMASK */, signals, 0, sizeof *signals);
}

void become_ready(void)
{
    uint64_t signals;
    if (is_ready() || !sealing_begin(&signals))
        return;
    uint8_t *table = is_ready() ? NULL : pages_copy(gate_table, PAGE);
    if (table) {
        table[GATE_READY] = 1;
        guard_calls(table, &sealed);
        pages_exchange(table, gate_table, PAGE, PROT_READ);
    }
    sealing_end(&signals);
}
