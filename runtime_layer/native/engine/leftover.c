#include "leftover.h"

#include "claims.h"
#include "descriptors.h"
#include "process.h"
#include "state.h"

static enum outcome make(struct call *call, uint32_t index, judge_found *judge, int32_t own)
{
    uint64_t theirs = call->arg[index];
    uint64_t *arg = call->arg;
    arg[index] = (uint64_t)own;
    if (judge(call, false) == RUN_IN_PLACE)
        answer(call, kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]));
    arg[index] = theirs;
    watch_carry((int32_t)theirs, own);
    return ANSWERED;
}

/* Unless the number is about to become a copy that the mark is for, or became it. */
static void take_away(int32_t descriptor, uint64_t mark)
{
    int32_t claim = change_begin((uint32_t)descriptor, false);
    if (claim >= 0 && !is_tcp(descriptor))
        unwatch(descriptor, mark);
    change_end(claim);
}

/* By the program's own number, which is held and stays what it is: a file lets nobody wait. The mark goes when it is not
 * held any more. */
static enum outcome make_on_file(struct call *call, uint32_t index, judge_found *judge, uint64_t mark)
{
    int32_t descriptor = (int32_t)call->arg[index];
    enum outcome outcome = make(call, index, judge, descriptor);
    let_go(descriptor);
    take_away(descriptor, mark);
    return outcome;
}

enum marked_as judge_leftover(struct call *call, uint32_t index, judge_found *judge, enum outcome *outcome)
{
    int32_t descriptor = (int32_t)call->arg[index];
    bool blocks = sealed.policy.modes[OUTBOUND_CONNECTIVITY] == MODE_BLOCK;
    if (!has_stream_mark(descriptor))
        return NOT_MARKED;
    bool is_stream = is_watched_stream(descriptor);
    if (!is_alone() && !owns_memory()) {
        /* A vfork child: its marks are its parent's, and it may have threads of its own. */
        if (is_stream && blocks) {
            *outcome = answer(call, -EACCES);
            return LEFT_OVER;
        }
        return is_stream ? STREAM_MARKED : NOT_MARKED;
    }
    if (is_stream)
        return STREAM_MARKED;
    if (!owns_memory()) /* the parent's stay */
        return NOT_MARKED;
    int64_t error = hold_theirs(descriptor);
    uint64_t mark = watch_mark(descriptor);
    if (!error && is_file(descriptor)) {
        *outcome = make_on_file(call, index, judge, mark);
        return LEFT_OVER;
    }
    int64_t own = error ? error : watch_own(descriptor);
    if (!error)
        let_go(descriptor);
    if (is_error(own)) {
        *outcome = answer(call, own);
        return LEFT_OVER;
    }
    is_stream = is_tcp((int32_t)own); /* whatever mark it got: the number may have changed meanwhile */
    if (!is_stream) {
        take_away(descriptor, mark);
        unwatch((int32_t)own, watch_mark((int32_t)own));
        *outcome = make(call, index, judge, (int32_t)own);
    }
    watch_own_end(descriptor, own);
    return is_stream ? STREAM_MARKED : LEFT_OVER;
}
