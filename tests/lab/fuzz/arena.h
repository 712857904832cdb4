/* A caller's memory as the gate meets it: pages that can be read and written, only read, or neither. */
#ifndef FUZZ_ARENA_H
#define FUZZ_ARENA_H

#include "kernel_fake.h"

#include "fuzz.h"

/* n: none, w: read and written, r: read. The last page is none: the arena ends at an edge too. */
static const char arena_pages[] = "nwwrnwn";
enum { ARENA_PAGES = sizeof arena_pages - 1, ARENA_SIZE = ARENA_PAGES * PAGE };

static uint8_t *arena;

static inline void arena_protect(uint32_t page, int32_t protection)
{
    CHECK(!kernel_real(__NR_mprotect, (uint64_t)(arena + page * PAGE), PAGE, (uint64_t)protection, 0, 0, 0));
}

static inline void arena_make(void)
{
    if (arena)
        return;
    /* Always at the same place: pointers are numbers too, and a run must be the same each time. */
    const uint64_t place = 0x200000000000;
    arena = (uint8_t *)kernel_real(__NR_mmap, place, ARENA_SIZE, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);
    CHECK((uint64_t)arena == place);
    for (uint32_t i = 0; i < ARENA_PAGES; i++)
        arena_protect(i, arena_pages[i] == 'w'   ? PROT_READ | PROT_WRITE
                         : arena_pages[i] == 'r' ? PROT_READ
                                                 : 0);
}

static inline bool arena_holds(uint64_t address)
{
    return address - (uint64_t)arena < ARENA_SIZE;
}

/* May all of [address, address + n) be read (or, with `write`, written)? Nothing outside the arena may: that is
 * where the inputs' pointers outside it lead. */
static inline bool arena_allows(uint64_t address, uint64_t n, bool write)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = address + i - (uint64_t)arena;
        if (at >= ARENA_SIZE || arena_pages[at / PAGE] == 'n' || (write && arena_pages[at / PAGE] != 'w'))
            return false;
        if (i > 2 * ARENA_SIZE)
            return false;
    }
    return true;
}

static inline void arena_clear(void)
{
    for (uint32_t i = 0; i < ARENA_PAGES; i++)
        if (arena_pages[i] == 'w')
            memset(arena + i * PAGE, 0, PAGE);
}

/* A pointer as a hostile caller gives it, from two bytes of input. */
static inline uint64_t take_pointer(struct input *in)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   PAGE,
                                   UINT64_MAX,
                                   UINT64_MAX - 7,
                                   UINT64_MAX - PAGE,
                                   0x8000000000000000,
                                   0x00007ffffffff000,
                                   0x0000800000000000,
                                   0xffff800000000000,
                                   0xffffffffff600000};
    uint64_t value = take_number(in, 2);
    if (value >= 0xff00)
        return odd[value % (sizeof odd / sizeof *odd)];
    return (uint64_t)arena + value % ARENA_SIZE;
}

/* A length: mostly small, at times absurd. */
static inline uint64_t take_length(struct input *in)
{
    static const uint64_t odd[] = {UINT64_MAX, INT64_MAX, UINT32_MAX, INT32_MAX, 0x80000000, 1ull << 40};
    uint64_t value = take_number(in, 2);
    return value >= 0xff00 ? odd[value % (sizeof odd / sizeof *odd)] : value % (3 * PAGE);
}

/* Lays bytes into the arena, where it can be written. */
static inline void arena_put(uint64_t address, const void *bytes, uint64_t n)
{
    if (n && n <= ARENA_SIZE && arena_allows(address, n, true))
        memcpy((void *)address, bytes, n);
}

#endif
