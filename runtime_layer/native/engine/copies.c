/* Copies of descriptors: what is looked at under one number is looked at under each. The mark is made before the copy
 * is there; whoever lets another thread take the number first, and still writes in time, would have won little. */
#include "claims.h"
#include "judges.h"
#include "kernel.h"
#include "watched.h"

static int32_t lowest_free(uint64_t least)
{
    for (uint64_t n = least; n < WATCHED_DESCRIPTORS; n++)
        if (KERNEL(fcntl, n, F_GETFD) == -EBADF)
            return (int32_t)n;
    return -1;
}

int64_t watch_own(int32_t descriptor)
{
    enum { LEAST = 100 /* out of the way of programs that count on small numbers */ };
    watch_copy(descriptor, lowest_free(LEAST));
    int64_t own = KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, LEAST);
    if (is_error(own) && own != -EMFILE && own != -EINVAL)
        return own;
    if (is_error(own)) {
        int64_t error = hold_theirs(descriptor);
        return error ? error : descriptor;
    }
    watch_copy(descriptor, (int32_t)own);
    return hold(own);
}

void watch_own_end(int32_t descriptor, int64_t own)
{
    if (own == descriptor)
        let_go(own);
    else
        close_held(own);
}

enum outcome judge_copy(struct call *call)
{
    int32_t from = (int32_t)call->arg[0];
    bool is_dup = call->nr == __NR_dup;
    if (watch_kind(from) == WATCH_NOTHING)
        return RUN_IN_PLACE;
    watch_copy(from, lowest_free(is_dup ? 0 : (uint32_t)call->arg[2]));
    int64_t copy = is_dup ? KERNEL(dup, from) : KERNEL(fcntl, from, (int32_t)call->arg[1], call->arg[2]);
    if (is_error(copy))
        return answer(call, copy);
    if (!watch_copy(from, (int32_t)copy)) {
        KERNEL(close, copy);
        return answer(call, -EMFILE);
    }
    watch_copied(from, (int32_t)copy);
    return answer(call, copy);
}
