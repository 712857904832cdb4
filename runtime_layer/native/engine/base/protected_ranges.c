#include "protected_ranges.h"

#include "raw_syscall.h"

enum { RANGES = 2048 };

struct range {
    uint64_t low, high;
    uint64_t trampolines; /* of a text: the start of the range with its trampolines; 0: none */
    uint32_t kind;
};

static struct range ranges[RANGES];
static uint32_t range_count;

uint64_t lowest_range = UINT64_MAX;

static void record_lowest(uint64_t low)
{
    uint64_t lowest = __atomic_load_n(&lowest_range, __ATOMIC_RELAXED);
    while (low < lowest && !__atomic_compare_exchange_n(&lowest_range, &lowest, low, false, __ATOMIC_SEQ_CST,
                                                        __ATOMIC_RELAXED))
        ;
}

static bool add_range(uint64_t low, uint64_t high, uint32_t kind, uint64_t trampolines)
{
    record_lowest(low);
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t free = RANGE_FREE;
        if (ranges[i].low == 0 && __atomic_compare_exchange_n(&ranges[i].kind, &free, kind, false,
                                                              __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            ranges[i].high = high;
            ranges[i].trampolines = trampolines;
            __atomic_store_n(&ranges[i].low, low, __ATOMIC_RELEASE);
            return true;
        }
    }
    n = __atomic_fetch_add(&range_count, 1, __ATOMIC_ACQ_REL);
    if (n >= RANGES) {
        __atomic_store_n(&range_count, RANGES, __ATOMIC_RELEASE);
        return false;
    }
    ranges[n].high = high;
    ranges[n].trampolines = trampolines;
    ranges[n].kind = kind;
    __atomic_store_n(&ranges[n].low, low, __ATOMIC_RELEASE);
    return true;
}

bool protect_range(uint64_t low, uint64_t high)
{
    return add_range(low, high, RANGE_ENGINE, 0);
}

static void free_range(struct range *range)
{
    __atomic_store_n(&range->low, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&range->kind, RANGE_FREE, __ATOMIC_RELEASE);
}

bool protect_text(uint64_t low, uint64_t high, uint64_t trampolines)
{
    return add_range(low, high, RANGE_TEXT, trampolines);
}

bool protect_unrelocated_text(uint64_t low, uint64_t high)
{
    return add_range(low, high, RANGE_TEXT | RANGE_UNRELOCATED, 0);
}

bool is_unrelocated_text(uint64_t low, uint64_t high)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind & RANGE_UNRELOCATED && ranges[i].low == low && ranges[i].high == high)
            return true;
    return false;
}

uint32_t kinds_within(uint64_t low, uint64_t high)
{
    uint32_t kinds = 0, n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].low && ranges[i].low < high && low < ranges[i].high)
            kinds |= ranges[i].kind;
    return kinds;
}

bool overlaps(uint64_t low, uint64_t high, enum range_kind kind)
{
    return kinds_within(low, high) & kind;
}

bool cuts_text(uint64_t low, uint64_t high)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind & RANGE_TEXT && ranges[i].low && ranges[i].low < high && low < ranges[i].high &&
            (ranges[i].low < low || ranges[i].high > high))
            return true;
    return false;
}

/* Unmaps the trampolines of a text that is unmapped. */
static void unmap_trampolines(uint64_t at)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; at && i < n && i < RANGES; i++)
        if (ranges[i].kind == RANGE_ENGINE && ranges[i].low == at) {
            uint64_t size = ranges[i].high - at;
            free_range(&ranges[i]);
            KERNEL(munmap, at, size);
            return;
        }
}

void forget_texts(uint64_t low, uint64_t high)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind & RANGE_TEXT && ranges[i].low >= low && ranges[i].high <= high && ranges[i].low) {
            uint64_t trampolines = ranges[i].trampolines;
            free_range(&ranges[i]);
            unmap_trampolines(trampolines);
        }
}
