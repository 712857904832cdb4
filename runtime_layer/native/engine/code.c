#include "code.h"

#include "../core/text.h"
#include "patch.h"
#include "sealing.h"

/* One store of eight bytes, all but `n` of them as they were; word by word where instructions are words. */
static void store(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    if (n == 4 && at % 4 == 0) {
        uint32_t word;
        __builtin_memcpy(&word, bytes, 4);
        __atomic_store_n((uint32_t *)at, word, __ATOMIC_SEQ_CST);
        return;
    }
    uint64_t word;
    __builtin_memcpy(&word, (const void *)at, 8);
    __builtin_memcpy(&word, bytes, n);
    *(volatile uint64_t *)at = word;
}

static bool exchange_pages(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    uint64_t low = page_down(at), size = page_up(at + n) - low;
    uint8_t *copy = pages_copy((const void *)low, size);
    if (!copy)
        return false;
    copy_bytes(copy + (at - low), bytes, n);
    return pages_exchange(copy, (const void *)low, size, PROT_READ | PROT_WRITE | PROT_EXEC, NULL, NULL);
}

bool code_write(uint64_t at, const uint8_t *bytes, uint32_t n, bool shared)
{
    uint64_t within = at % written_at_once();
    if (within + n <= written_at_once())
        store(at, bytes, n);
    else if (shared)
        return exchange_pages(at, bytes, n);
    else
        copy_bytes((void *)at, bytes, n);
    return true;
}
