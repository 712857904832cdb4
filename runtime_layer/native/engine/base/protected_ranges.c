/* Tests: tests/unit/core/engine_race.c. */
#include "protected_ranges.h"

#include "raw_syscall.h"

enum { RANGES = 2048 };

/* The thread that changes `kind` from RANGE_FREE writes the other fields, `low` last (release); the one that frees the range
 * writes 0 to `low`, and `kind` last. */
struct range {
    uint64_t low, high;
    uint64_t trampolines; /* of a text: the start of the range with its trampolines; 0: none */
    uint32_t kind;
};

static struct range ranges[RANGES];
static uint32_t
    range_end; /* behind the last range ever used; it only rises, before the new range is relied on */

uint64_t lowest_range = UINT64_MAX; /* it only falls, before its range is added; gate.S reads it */

static void record_lowest(uint64_t low)
{
    uint64_t lowest = __atomic_load_n(&lowest_range, __ATOMIC_RELAXED);
    while (low < lowest && !__atomic_compare_exchange_n(&lowest_range, &lowest, low, false, __ATOMIC_SEQ_CST,
                                                        __ATOMIC_RELAXED))
        ;
}

static void record_end(uint32_t end)
{
    uint32_t before = __atomic_load_n(&range_end, __ATOMIC_RELAXED);
    while (before < end &&
           !__atomic_compare_exchange_n(&range_end, &before, end, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

static bool claim(struct range *range, uint32_t kind)
{
    uint32_t free = RANGE_FREE;
    return __atomic_load_n(&range->kind, __ATOMIC_RELAXED) == RANGE_FREE &&
           __atomic_compare_exchange_n(&range->kind, &free, kind, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool protect_range(uint64_t low, uint64_t high, uint32_t kind, uint64_t trampolines)
{
    uint32_t i = 0;
    record_lowest(low);
    while (i < RANGES && !claim(&ranges[i], kind))
        i++;
    if (i == RANGES)
        return false;
    __atomic_store_n(&ranges[i].high, high, __ATOMIC_RELEASE);
    __atomic_store_n(&ranges[i].trampolines, trampolines, __ATOMIC_RELEASE);
    __atomic_store_n(&ranges[i].low, low, __ATOMIC_RELEASE);
    record_end(i + 1);
    return true;
}

/* Copies the next range in use, from `at` on. One that another thread frees or replaces meanwhile is skipped. */
static bool next_range(uint32_t *at, struct range *out)
{
    uint32_t end = __atomic_load_n(&range_end, __ATOMIC_ACQUIRE);
    while (*at < end) {
        const struct range *range = &ranges[(*at)++];
        out->low = __atomic_load_n(&range->low, __ATOMIC_ACQUIRE);
        out->high = __atomic_load_n(&range->high, __ATOMIC_ACQUIRE);
        out->trampolines = __atomic_load_n(&range->trampolines, __ATOMIC_ACQUIRE);
        out->kind = __atomic_load_n(&range->kind, __ATOMIC_ACQUIRE);
        if (out->low && __atomic_load_n(&range->low, __ATOMIC_RELAXED) == out->low)
            return true;
    }
    return false;
}

/* The caller holds the lock of mappings, and next_range stands behind the range. */
static void free_range(uint32_t at)
{
    __atomic_store_n(&ranges[at - 1].low, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&ranges[at - 1].kind, RANGE_FREE, __ATOMIC_RELEASE);
}

bool is_unrelocated_text(uint64_t low, uint64_t high)
{
    struct range r;
    for (uint32_t at = 0; next_range(&at, &r);)
        if (r.kind & RANGE_UNRELOCATED && r.low == low && r.high == high)
            return true;
    return false;
}

uint32_t kinds_within(uint64_t low, uint64_t high)
{
    uint32_t kinds = 0;
    struct range r;
    for (uint32_t at = 0; next_range(&at, &r);)
        if (r.low < high && low < r.high)
            kinds |= r.kind;
    return kinds;
}

bool overlaps(uint64_t low, uint64_t high, enum range_kind kind)
{
    return kinds_within(low, high) & kind;
}

bool cuts_text(uint64_t low, uint64_t high)
{
    struct range r;
    for (uint32_t at = 0; next_range(&at, &r);)
        if (r.kind & RANGE_TEXT && r.low < high && low < r.high && (r.low < low || r.high > high))
            return true;
    return false;
}

/* Unmaps the trampolines of a text that is unmapped. */
static void unmap_trampolines(uint64_t low)
{
    struct range r;
    for (uint32_t at = 0; low && next_range(&at, &r);)
        if (r.kind == RANGE_ENGINE && r.low == low) {
            free_range(at);
            KERNEL(munmap, low, r.high - low);
            return;
        }
}

void forget_texts(uint64_t low, uint64_t high)
{
    struct range r;
    for (uint32_t at = 0; next_range(&at, &r);)
        if (r.kind & RANGE_TEXT && r.low >= low && r.high <= high) {
            free_range(at);
            unmap_trampolines(r.trampolines);
        }
}
