/* Tests: tests/integration/engine/test_midst.py. */
#include "process_state.h"

#include "../base/linux_abi.h"
#include "../base/protected_ranges.h"
#include "../base/quiesce.h"

enum { PROCESS_PAGES = (sizeof(struct process) + PAGE - 1) / PAGE * PAGE };

bool process_begin(struct process **own)
{
    if (*own)
        return true;
    struct process *memory = new_memory(PROCESS_PAGES);
    if (!memory)
        return false;
    /* On a kernel without this advice, a copy cannot be recognised, and stays shielded like the original. */
    KERNEL(madvise, memory, PROCESS_PAGES, MADV_WIPEONFORK);
    *own = memory;
    (*own)->id = (int32_t)KERNEL(getpid);
    return true;
}

bool process_arm(void)
{
    uint64_t low = (uint64_t)sealed->process.own;
    accept_forked_copy();
    if (has_other_threads())
        record_threads();
    return overlaps(low, low + PROCESS_PAGES, RANGE_ENGINE) ||
           protect_range(low, low + PROCESS_PAGES, RANGE_ENGINE, 0);
}

bool take_lock(enum lock which, uint64_t *signals)
{
    enum { QUICK_TURNS = 50 };
    /* Milliseconds. A seal is held long, as patching a text waits for all threads. */
    static const uint32_t patience[LOCKS] = {[SEAL] = 30000, [MAPPINGS] = 5000};
    const uint64_t all = UINT64_MAX, moment[2] = {0, 20000}, millisecond[2] = {0, 1000000};
    KERNEL(rt_sigprocmask, SIG_BLOCK, &all, signals, sizeof all);
    for (uint32_t turn = 0; turn < QUICK_TURNS + patience[which]; turn++) {
        if (!__atomic_exchange_n(&sealed->process.own->locks[which], 1, __ATOMIC_ACQUIRE))
            return true;
        KERNEL(nanosleep, turn < QUICK_TURNS ? moment : millisecond, 0);
    }
    KERNEL(rt_sigprocmask, SIG_SETMASK, signals, 0, sizeof *signals);
    return false;
}

void give_lock(enum lock which, const uint64_t *signals)
{
    __atomic_store_n(&sealed->process.own->locks[which], 0, __ATOMIC_RELEASE);
    KERNEL(rt_sigprocmask, SIG_SETMASK, signals, 0, sizeof *signals);
}

bool had_threads; /* set for ever before the second thread is made, so relaxed */

void record_threads(void)
{
    __atomic_store_n(&had_threads, true, __ATOMIC_RELAXED);
}

uint8_t next_event_watched; /* any thread, bit by bit (seq_cst), after the count that is the reason */

static bool had_vfork; /* set for ever before the child is made */

void record_vfork(void)
{
    __atomic_store_n(&had_vfork, true, __ATOMIC_SEQ_CST);
}

void accept_forked_copy(void)
{
    __atomic_store_n(&sealed->process.own->is_armed, 1, __ATOMIC_RELAXED);
}

bool is_memory_owner(void)
{
    return !__atomic_load_n(&had_vfork, __ATOMIC_SEQ_CST) || is_owner_process();
}

bool is_owner_process(void)
{
    return __atomic_load_n(&sealed->process.own->id, __ATOMIC_RELAXED) == (int32_t)KERNEL(getpid);
}
