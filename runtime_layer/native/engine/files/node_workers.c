#include "node_workers.h"

#include "../base/read_file.h"
#include "../state/sealed_state.h"

enum { THREADS = 256, WORKERS_MAX = 1 << 16, PER_CPU = 8, FILE_MAX = 1 << 20 };

/* As parseInt: what is in front of the number and behind it does not count. 0: there is none. */
static uint32_t leading_number(struct text t, uint32_t max)
{
    uint32_t value = 0, digits = 0;
    t = text_trim(t);
    if (t.len && t.at[0] == '+')
        t = (struct text){t.at + 1, t.len - 1};
    while (digits < t.len && t.at[digits] >= '0' && t.at[digits] <= '9')
        digits++;
    if (!digits)
        return 0;
    return text_number((struct text){t.at, digits}, max, &value) ? value : max;
}

/* The lines "cpu0 ...", "cpu1 ..." of /proc/stat: what os.cpus() lists. */
static uint32_t processors(void)
{
    struct text lines = whole_file("/proc/stat", FILE_MAX), rest = lines, line;
    uint32_t count = 0;
    while (rest.len && text_next(&rest, '\n', &line))
        count += line.len > 3 && text_starts(line, TEXT("cpu")) && line.at[3] >= '0' && line.at[3] <= '9';
    whole_file_drop(lines, FILE_MAX);
    return count ? count : 1;
}

/* The processors that the control group has a share in, rounded up (cgroup-v2.rst: "max 100000", or "150000 100000"). */
static uint32_t processors_to_use(void)
{
    struct text content = whole_file("/sys/fs/cgroup/cpu.max", FILE_MAX), rest = content, quota = TEXT("");
    if (rest.len)
        text_next(&rest, ' ', &quota);
    bool is_open = text_equal(quota, TEXT("max"));
    uint32_t share = leading_number(quota, INT32_MAX), of = leading_number(rest, INT32_MAX);
    whole_file_drop(content, FILE_MAX);
    if (is_open)
        return processors();
    return share && of ? share / of + (share % of != 0) : 1;
}

uint32_t count_node_workers(struct text wish)
{
    return wish.len ? leading_number(wish, WORKERS_MAX) : PER_CPU * processors_to_use();
}

/* What was opened of each handler's file since the process began. Not sealed, as it changes; never set back. */
static struct {
    uint32_t opens;  /* by all */
    uint32_t a_load; /* the most by one thread, until the first request for work */
    struct {
        int32_t id;
        uint32_t opens;
    } threads[THREADS];
} opened[MAX_HANDLERS];

/* The first threads that open it have a place, and so the first worker. */
static void count_for_thread(uint32_t handler)
{
    int32_t self = (int32_t)KERNEL(gettid);
    for (uint32_t i = 0; i < THREADS; i++) {
        int32_t nobody = 0, *id = &opened[handler].threads[i].id;
        if (__atomic_load_n(id, __ATOMIC_RELAXED) != self &&
            !__atomic_compare_exchange_n(id, &nobody, self, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        uint32_t count = ++opened[handler].threads[i].opens; /* nobody else writes here */
        uint32_t most = __atomic_load_n(&opened[handler].a_load, __ATOMIC_RELAXED);
        while (count > most && !__atomic_compare_exchange_n(&opened[handler].a_load, &most, count, false,
                                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            ;
        return;
    }
}

bool is_worker_load(uint32_t handler)
{
    /* A copy of the process is no worker, whatever it was given of this memory. */
    if (!sealed.workers || (int32_t)KERNEL(getpid) != sealed.workers_process)
        return false;
    uint32_t *opens = &opened[handler].opens;
    if (!is_ready()) {
        __atomic_add_fetch(opens, 1, __ATOMIC_RELAXED);
        count_for_thread(handler);
        return true;
    }
    uint64_t all = (uint64_t)__atomic_load_n(&opened[handler].a_load, __ATOMIC_RELAXED) * sealed.workers;
    uint32_t before = __atomic_load_n(opens, __ATOMIC_RELAXED);
    while (before < all)
        if (__atomic_compare_exchange_n(opens, &before, before + 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}
