#include "log_writer.h"

#include <linux/poll.h>
#include <linux/resource.h>

#include "../fds/fd_pins.h"
#include "../fds/slow_close.h"
#include "../fds/fd_list.h"
#include "../gate/handlers.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "alerts.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"

enum { LOG_HIGHEST = 1000, LOG_LOWEST = 3, SET_PIPE_SIZE = 1031 /* F_SETPIPE_SZ */ };
enum { CLOSE_UNSHARE = 2 /* CLOSE_RANGE_UNSHARE: this thread has descriptors of its own from now on */ };

static uint64_t soft_limit_of_descriptors(void)
{
    uint64_t limits[2] = {0, 0};
    return is_error(KERNEL(prlimit64, 0, RLIMIT_NOFILE, 0, limits)) ? 0 : limits[0];
}

/* Is it an open descriptor that can be written to? */
static bool is_writable(int32_t descriptor)
{
    int64_t flags = KERNEL(fcntl, descriptor, F_GETFL, 0);
    return !is_error(flags) && (flags & O_ACCMODE) != O_RDONLY;
}

int32_t log_keep(int32_t inherited)
{
    if (inherited >= LOG_LOWEST && is_writable(inherited))
        return inherited;
    uint64_t limit = soft_limit_of_descriptors();
    if (limit > LOG_HIGHEST)
        limit = LOG_HIGHEST + 1;
    if (!is_writable(2))
        return -1;
    for (uint64_t lowest = limit > 64 ? limit - 1 : 64; lowest >= LOG_LOWEST && limit > LOG_LOWEST;
         lowest /= 2) {
        int64_t kept = KERNEL(fcntl, 2, F_DUPFD, lowest); /* kept across exec: children alert to it as well */
        if (!is_error(kept))
            return (int32_t)kept;
    }
    return 2;
}

void log_remember(struct sealed *s)
{
    struct stat st = {0};
    if (s->log >= 0 && !is_error(KERNEL(fstat, s->log, &st)) && (st.st_mode & S_IFMT) == S_IFIFO)
        s->log_pipe = (struct inode){st.st_dev, st.st_ino};
}

bool log_write(int32_t descriptor, const char *line, uint32_t len, uint64_t patience[2])
{
    /* A pipe is ready for writing when PIPE_BUF bytes fit (pipe(7)): no line is longer, so no write waits. A
     * reader that is gone shows as POLLERR, where writing would raise SIGPIPE. The kernel writes down what is left of the
     * time (ppoll(2)). */
    struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
    uint64_t no_time[2] = {0, 0};
    int64_t polled = descriptor < 0 ? 0 : KERNEL(ppoll, &ready, 1, patience ? patience : no_time, 0, 8);
    /* EINVAL: the program allows itself no descriptors at all (poll(2)). That must not silence the log. */
    if (polled == -EINVAL)
        ready.revents = POLLOUT;
    else if (polled != 1)
        return false;
    if (!(ready.revents & POLLOUT) || (ready.revents & (POLLERR | POLLHUP | POLLNVAL)))
        return false;
    return KERNEL(write, descriptor, line, len) == len;
}

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
    if (call->arg[2] & CLOSE_UNSHARE)
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
        if ((int32_t)arg[1] == SET_PIPE_SIZE && is_log_pipe((int32_t)arg[0]))
            break;
        /* Status flags belong to the open file, which stderr shares: only the descriptor's own are kept. */
        if (!is_log(arg[0]) || (int32_t)arg[1] != F_SETFD)
            return RUN_IN_PLACE;
        break;
    default: return RUN_IN_PLACE;
    }
    return self_protection_refused(call, TEXT("")) ? answer(call, -EACCES) : RUN_IN_PLACE;
}
