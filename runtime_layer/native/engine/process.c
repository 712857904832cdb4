#include "process.h"

#include "mappings.h"
#include "state.h"

enum { DESCRIPTORS = 65536, WIPE_ON_FORK = 18 /* MADV_WIPEONFORK */, PATIENCE = 10 /* milliseconds */ };

struct process {
    uint32_t is_armed;
    uint32_t held_now;
    struct storm storm;
    uint8_t holders[DESCRIPTORS]; /* how many calls hold each: threads may have tables of their own */
};

bool process_begin(void)
{
    uint64_t size = page_up(sizeof(struct process));
    int64_t memory = KERNEL(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(memory))
        return false;
    /* Where the kernel has no such advice, a copy is not told from the original: it stays shielded all the same. */
    KERNEL(madvise, memory, size, WIPE_ON_FORK);
    sealed.process = (struct process *)memory;
    sealed.process->is_armed = 1;
    return protect_range((uint64_t)memory, (uint64_t)memory + size);
}

bool is_forked_copy(void)
{
    return !__atomic_load_n(&sealed.process->is_armed, __ATOMIC_RELAXED);
}

void accept_forked_copy(void)
{
    __atomic_store_n(&sealed.process->is_armed, 1, __ATOMIC_RELAXED);
}

struct storm *storm_of_process(void)
{
    return &sealed.process->storm;
}

static bool is_counted(int64_t descriptor)
{
    return descriptor >= 0 && descriptor < DESCRIPTORS;
}

int64_t hold(int64_t descriptor)
{
    if (is_counted(descriptor)) {
        __atomic_fetch_add(&sealed.process->holders[descriptor], 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&sealed.process->held_now, 1, __ATOMIC_SEQ_CST);
    }
    return descriptor;
}

void let_go(int64_t descriptor)
{
    /* A copy that was forked in the midst of a call by another thread never took hold. */
    if (is_counted(descriptor) && __atomic_load_n(&sealed.process->holders[descriptor], __ATOMIC_RELAXED)) {
        __atomic_fetch_sub(&sealed.process->holders[descriptor], 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_sub(&sealed.process->held_now, 1, __ATOMIC_SEQ_CST);
    }
}

void close_held(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    /* In this order: once it is closed the number may be another thread's. */
    let_go(descriptor);
    KERNEL(close, descriptor);
}

bool wait_until_free(int64_t descriptor)
{
    if (!is_counted(descriptor))
        return true;
    const uint64_t millisecond[2] = {0, 1000000};
    for (uint32_t turn = 0; __atomic_load_n(&sealed.process->holders[descriptor], __ATOMIC_SEQ_CST); turn++) {
        if (turn == 2 * PATIENCE)
            return false;
        if (turn < PATIENCE)
            KERNEL(sched_yield);
        else
            KERNEL(nanosleep, millisecond, 0);
    }
    return true;
}

bool wait_until_range_is_free(uint32_t first, uint32_t last)
{
    if (!__atomic_load_n(&sealed.process->held_now, __ATOMIC_SEQ_CST))
        return true;
    for (uint64_t i = first; i <= last && i < DESCRIPTORS; i++)
        if (!wait_until_free((int64_t)i))
            return false;
    return true;
}

const uint32_t *held_now(void)
{
    return &sealed.process->held_now;
}
