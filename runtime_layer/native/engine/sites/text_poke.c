/* Tests: tests/integration/from_code/test_python.py. */
#include "text_poke.h"

#include "../../core/text.h"
#include "../base/raw_syscall.h"
#include "../state/sealed_pages.h"
#include "patch.h"

/* Stores eight bytes of one page at once, of which `n` change; word by word where instructions are words. */
static void store_word(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    if (n == 4 && at % 4 == 0) {
        uint32_t word;
        __builtin_memcpy(&word, bytes, 4);
        __atomic_store_n((uint32_t *)at, word, __ATOMIC_SEQ_CST);
        return;
    }
    uint64_t last = page_up(at + 1) - 8, begin = at < last ? at : last;
    uint64_t word;
    __builtin_memcpy(&word, (const void *)begin, 8);
    __builtin_memcpy((uint8_t *)&word + (at - begin), bytes, n);
    *(volatile uint64_t *)begin = word;
}

/* Replaces pages, which other threads may be running, by changed copies. */
static bool replace_pages(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    uint64_t low = page_down(at), size = page_up(at + n) - low;
    uint8_t *copy = pages_copy((const void *)low, size);
    if (!copy)
        return false;
    copy_bytes(copy + (at - low), bytes, n);
    return pages_replace(copy, (void *)low, size, PROT_READ | PROT_WRITE | PROT_EXEC);
}

bool write_code(uint64_t at, const uint8_t *bytes, uint32_t n, bool shared)
{
    uint64_t within = at % written_at_once();
    if (within + n <= written_at_once())
        store_word(at, bytes, n);
    else if (shared)
        return replace_pages(at, bytes, n);
    else
        copy_bytes((void *)at, bytes, n);
    return true;
}
