#include "written.h"

#include "kernel.h"
#include "process.h"
#include "threads.h"
#include "watched.h"

enum { PATIENCE = 10 /* milliseconds */ };

struct written written[WRITTEN_LINES];

static uint32_t *writers_of(int32_t number)
{
    return &written[(uint32_t)number % WRITTEN_LINES].writers;
}

static enum outcome make_unseen(struct call *call, judge_found *judge)
{
    uint64_t *arg = call->arg;
    if (judge(call, false) == RUN_IN_PLACE)
        answer(call, kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]));
    return ANSWERED;
}

enum outcome judge_writer(struct call *call, uint32_t index, judge_found *judge)
{
    int32_t number = (int32_t)call->arg[index];
    uint32_t *writers = writers_of(number);
    enum outcome outcome = RUN_IN_PLACE;
    bool counts = !is_alone();
    for (bool is_hint = false;; is_hint = true) {
        if (counts)
            __atomic_fetch_add(writers, 1, __ATOMIC_SEQ_CST);
        /* A mark that stays although the number is no stream is one of a thread or process with other descriptors. */
        bool passes = is_hint ? !is_watched_stream(number) : is_unmarked(watch_mark(number));
        if (passes)
            outcome = counts ? make_unseen(call, judge) : judge(call, false);
        if (counts)
            __atomic_fetch_sub(writers, 1, __ATOMIC_RELEASE);
        if (passes)
            return outcome;
        enum marked_as marked = judge_leftover(call, index, judge, &outcome);
        if (marked != NOT_MARKED)
            return marked == LEFT_OVER ? outcome : judge(call, true);
    }
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
