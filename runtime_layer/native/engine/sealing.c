#include "sealing.h"

#include "claims.h"
#include "guarded.h"
#include "process.h"
#include "ranges.h"
#include "state.h"

enum { PATIENCE = 10000 /* milliseconds: patching a program's text waits for all its threads */, TURNS = 8 };

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

bool pages_exchange(void *copy, const void *at, uint64_t size, uint64_t protection, pages_check may_follow,
                    const void *context)
{
    uint64_t low = (uint64_t)copy;
    bool done = false;
    /* Nobody changes mappings meanwhile, and none that was judged before is still to come. */
    if (!prepare_begin()) {
        if (protect_range(low, low + size)) {
            done = !is_error(KERNEL(mprotect, copy, size, protection)) &&
                   (!may_follow || may_follow(at, copy, context)) &&
                   !is_error(KERNEL(mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, at));
            unprotect_range(low);
        }
        prepare_end();
    }
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

static bool is_table_when_ready(const void *now, const void *next, const void *context)
{
    (void)now;
    (void)context;
    return guards_are(next, &sealed, true);
}

void become_ready(void)
{
    uint64_t signals;
    if (is_ready() || !sealing_begin(&signals))
        return;
    for (uint32_t turn = 0; turn < TURNS && !is_ready(); turn++) {
        uint8_t *table = pages_copy(gate_table, PAGE);
        if (!table)
            break;
        table[GATE_READY] = 1;
        guard_calls(table, &sealed);
        pages_exchange(table, gate_table, PAGE, PROT_READ, is_table_when_ready, NULL);
    }
    sealing_end(&signals);
}
