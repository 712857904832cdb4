/* Calls that close, replace or copy descriptors: the log's stays, and so does what the gate is using. */
#include "../base/handlers.h"
#include "../base/limits.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../state/fd_pins.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../report/alerts.h"
#include "fd_dup.h"
#include "fd_list.h"
#include "fd_marks.h"
#include "slow_close.h"

/* Any descriptor of it: a smaller pipe would be full sooner. */
static bool is_log_pipe(int32_t descriptor)
{
    struct stat st = {0};
    KERNEL(fstat, descriptor, &st);
    return st.st_ino && st.st_ino == sealed.log_pipe.ino && st.st_dev == sealed.log_pipe.dev;
}

static bool is_log(uint64_t descriptor)
{
    return sealed.log > 2 && (uint32_t)descriptor == (uint32_t)sealed.log;
}

/* Closes or replaces a descriptor that nobody holds. */
static enum outcome change(struct call *call, uint32_t descriptor, bool waits, int64_t error)
{
    struct closing closing = closing_begin(call, (int32_t)descriptor);
    int32_t claim = change_begin(descriptor, waits);
    /* A file is held while another thread hands it over, or maps it, which is soon done. The rest are numbers of the gate's
     * own: who closes all that there are waits for none of them. */
    if (claim < 0 && !waits && is_file((int32_t)descriptor))
        claim = change_begin(descriptor, true);
    if (claim < 0) {
        closing_end(&closing);
        return answer(call, error);
    }
    uint64_t mark = watch_mark((int32_t)descriptor);
    int64_t result;
    if (call->nr == __NR_close) {
        result = KERNEL(close, descriptor);
        if (!is_error(result))
            result = closing.written;
        watch_closed((int32_t)descriptor, mark);
    } else {
        result = lay_over(call);
    }
    change_end(claim);
    closing_end(&closing);
    return answer(call, result);
}

/* For a kernel without the call: a program's own loop would go on for ever over what it cannot close. */
static int64_t close_one_by_one(uint32_t first, uint32_t last)
{
    uint64_t limit = soft_limit_of_descriptors();
    for (uint64_t i = first; i <= last && i < limit; i++)
        KERNEL(close, i);
    return 0;
}

/* The program never saw the log, nor what the gate holds: what lies between them goes. */
static int64_t close_around(uint32_t first, uint32_t last, uint64_t flags)
{
    int64_t result = 0;
    for (uint64_t at = first; at <= last && !is_error(result);) {
        uint32_t kept = next_held((uint32_t)at);
        if (sealed.log > 2 && (uint64_t)sealed.log >= at && (uint32_t)sealed.log < kept)
            kept = (uint32_t)sealed.log;
        uint32_t end = kept <= last ? kept : last;
        bool to_the_end = kept > last;
        if (to_the_end || kept > at)
            result = KERNEL(close_range, at, to_the_end ? last : kept - 1, flags);
        if (result == -ENOSYS && !flags)
            result = close_one_by_one((uint32_t)at, to_the_end ? last : kept - 1);
        at = (uint64_t)end + 1;
    }
    return result;
}

static enum outcome close_many(struct call *call)
{
    uint32_t first = (uint32_t)call->arg[0], last = (uint32_t)call->arg[1];
    if (first > last)
        return RUN_IN_PLACE; /* EINVAL */
    marks_are_hints();
    if (call->arg[2] & CLOSE_RANGE_UNSHARE)
        watch_for_good();
    int32_t claim = change_many_begin();
    int64_t result = claim < 0 ? -EAGAIN : close_around(first, last, (uint32_t)call->arg[2]);
    change_end(claim);
    return answer(call, result);
}

enum outcome judge_descriptor(struct call *call)
{
    uint64_t *arg = call->arg;
    switch (call->nr) {
    case __NR_fstat:
    case __NR_newfstatat:
        /* As if it had not been open: programs that look which descriptors there are find their own. */
        return is_log(arg[0]) ? answer(call, -EBADF) : RUN_IN_PLACE;
    case __NR_close:
        return is_log(arg[0]) ? answer(call, -EBADF)
                              : change(call, (uint32_t)arg[0], has_mark((int32_t)arg[0]), -EBADF);
    case __NR_close_range: return close_many(call);
#ifdef __NR_dup2
    case __NR_dup2:
#endif
    case __NR_dup3:
        if (!is_log(arg[1]))
            return change(call, (uint32_t)arg[1], true, -EBUSY);
        break;
    case __NR_fcntl:
        if ((int32_t)arg[1] == F_DUPFD || (int32_t)arg[1] == F_DUPFD_CLOEXEC)
            return judge_copy(call);
        if ((int32_t)arg[1] == F_SETPIPE_SZ && is_log_pipe((int32_t)arg[0]))
            break;
        /* Status flags belong to the open file, which stderr shares: only the descriptor's own are kept. */
        if (!is_log(arg[0]) || (int32_t)arg[1] != F_SETFD)
            return RUN_IN_PLACE;
        break;
    default: return RUN_IN_PLACE;
    }
    return self_protection_refused(call, TEXT("")) ? answer(call, -EACCES) : RUN_IN_PLACE;
}
