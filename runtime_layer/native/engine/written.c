#include "written.h"

#include "kernel.h"
#include "process.h"
#include "threads.h"

enum { PATIENCE = 30 /* milliseconds */ };

struct written written[WRITTEN_LINES];

static uint32_t *writers_of(int32_t number)
{
    return &written[(uint32_t)number % WRITTEN_LINES].writers;
}

enum outcome while_written(struct call *call, uint32_t index, enum outcome (*judge)(struct call *call))
{
    if (is_alone())
        return judge(call);
    uint64_t *arg = call->arg;
    uint32_t *writers = writers_of((int32_t)arg[index]);
    __atomic_fetch_add(writers, 1, __ATOMIC_SEQ_CST);
    if (judge(call) == RUN_IN_PLACE)
        answer(call, kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]));
    __atomic_fetch_sub(writers, 1, __ATOMIC_RELEASE);
    return ANSWERED;
}

bool is_being_written(int32_t number)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    /* A forked copy has none of the threads that were writing when it was made; a vfork child has other descriptors. */
    return __atomic_load_n(writers_of(number), __ATOMIC_SEQ_CST) && has_other_threads();
}

bool stays_being_written(int32_t number)
{
    const uint64_t millisecond[2] = {0, 1000000};
    for (uint32_t turn = 0; is_being_written(number); turn++) {
        if (turn == PATIENCE)
            return true;
        KERNEL(nanosleep, millisecond, 0);
    }
    return false;
}
