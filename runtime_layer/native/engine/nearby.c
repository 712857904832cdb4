#include "nearby.h"

#include "maps.h"

enum { TURNS = 8 /* other threads take memory as well */, LOWEST = 1 << 16 /* vm.mmap_min_addr (proc(5)) */ };

struct search {
    uint64_t from, to;  /* where memory would be in reach */
    uint64_t end;       /* of the mapping before */
    uint64_t low, high; /* the widest gap so far */
};

/* Memory where the kernel puts it (`flags` 0), or at the hint and nowhere else; 0 when that is out of reach. */
static uint64_t reachable_memory(uint64_t hint, uint64_t flags, uint64_t size, const struct search *s)
{
    int64_t at = KERNEL(mmap, hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (is_error(at))
        return 0;
    if ((uint64_t)at > s->from && (uint64_t)at + size < s->to)
        return (uint64_t)at;
    KERNEL(munmap, at, size);
    return 0;
}

static void keep_widest(struct search *s, uint64_t low, uint64_t high)
{
    low = low > s->from ? low : s->from;
    high = high < s->to ? high : s->to;
    if (low < high && high - low > s->high - s->low) {
        s->low = low;
        s->high = high;
    }
}

static bool look_before(void *context, const struct mapping *m)
{
    struct search *s = context;
    keep_widest(s, s->end, m->low);
    s->end = m->high;
    return m->low >= s->to;
}

/* The middle of the widest gap in reach: what grows into a gap, a stack or a heap, does so from its ends. */
static uint64_t middle_of_a_gap(uint64_t size, struct search *s)
{
    enum { BUFFER = 4 * PAGE };
    int64_t buffer = KERNEL(mmap, 0, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(buffer))
        return 0;
    s->end = LOWEST;
    s->low = s->high = 0;
    bool whole = each_mapping((char *)buffer, BUFFER, look_before, s);
    KERNEL(munmap, buffer, BUFFER);
    if (!whole || s->high - s->low < size)
        return 0;
    return page_down(s->low + (s->high - s->low - size) / 2);
}

uint64_t nearby_memory(uint64_t low, uint64_t high, uint64_t size, uint64_t reach)
{
    struct search s = {.from = high > reach ? high - reach : 0, .to = low + reach};
    /* Libraries lie where the kernel puts other memory as well; a program may lie elsewhere. */
    uint64_t at = reachable_memory(0, 0, size, &s), gap = 1;
    for (uint32_t turn = 0; turn < TURNS && !at && gap; turn++) {
        gap = middle_of_a_gap(size, &s);
        at = gap ? reachable_memory(gap, MAP_FIXED_NOREPLACE, size, &s) : 0;
    }
    return at;
}
