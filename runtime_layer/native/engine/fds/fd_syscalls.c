/* Judges calls that close, replace or copy descriptors, and protects the gate's own descriptors, such as the log.
 * Tests: tests/security/cases/test_safety.py. */
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../report/alerts.h"
#include "fd_marks.h"
#include "own_fds.h"

static bool is_log_pipe(int32_t descriptor)
{
    return same_inode(inode_of(descriptor), sealed->process.log_pipe);
}

/* Whether a pipe would hold fewer lines, or become one of packets, of which a reader with a smaller buffer loses the rest
 * (pipe(2), O_DIRECT). */
static bool loses_lines(int32_t descriptor, int32_t command, uint64_t flags)
{
    return command == F_SETPIPE_SZ ||
           (command == F_SETFL && flags & O_DIRECT && !(KERNEL(fcntl, descriptor, F_GETFL, 0) & O_DIRECT));
}

/* Whether it is the log, or a reference to a directory. */
static bool is_hidden(uint64_t descriptor)
{
    const struct file_facts *files = &sealed->files;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (files->read_only_mounts[i].id && (int32_t)descriptor == files->read_only_mounts[i].directory)
            return true;
    if (files->tmp_directory && (int32_t)descriptor == files->tmp_directory)
        return true;
    return sealed->process.log > 2 && (uint32_t)descriptor == (uint32_t)sealed->process.log;
}

/* Closes a number with a mark; one without a mark is closed in place. */
static int64_t close_marked(int32_t descriptor)
{
    uint64_t mark = get_mark(descriptor);
    int64_t result = KERNEL(close, descriptor);
    if (is_memory_owner())
        clear_mark_of_closed(descriptor, mark);
    return result;
}

/* For a kernel without close_range: a program's own loop could hang at a descriptor that it cannot close. */
static int64_t close_one_by_one(uint32_t first, uint32_t last)
{
    uint64_t limits[2] = {0, 0}; /* soft, hard */
    KERNEL(prlimit64, 0, RLIMIT_NOFILE, 0, limits);
    for (uint64_t i = first; i <= last && i < limits[0]; i++)
        KERNEL(close, i);
    return 0;
}

/* Closes the ranges between the gate's own descriptors, which the program never sees. */
static int64_t close_around(uint32_t first, uint32_t last, uint64_t flags)
{
    int64_t result = 0;
    for (uint64_t at = first; at <= last && !is_error(result);) {
        uint32_t kept = own_fd_next((uint32_t)at);
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
    set_marks_inexact();
    /* A thread with its own table of descriptors would share the marks of another table: refused as unshare(2) is. */
    bool unshares = call->arg[2] & CLOSE_RANGE_UNSHARE && !is_single_threaded();
    if (unshares && self_protection_refused(call, TEXT("")))
        return answer(call, -EPERM);
    return answer(call, close_around(first, last, (uint32_t)call->arg[2]));
}

enum outcome judge_descriptor(struct call *call)
{
    uint64_t *arg = call->arg;
    switch (call->nr) {
    case __NR_fstat:
    case __NR_newfstatat:
        /* It looks closed: a program that lists its descriptors finds only its own. */
        return is_hidden(arg[0]) ? answer(call, -EBADF) : RUN_IN_PLACE;
    case __NR_close:
        return answer(call, is_own_fd((uint32_t)arg[0]) ? -EBADF : close_marked((int32_t)arg[0]));
    case __NR_close_range: return close_many(call);
#ifdef __NR_dup2
    case __NR_dup2:
#endif
    case __NR_dup3:
        if (is_hidden(arg[1]))
            break;
        if ((uint32_t)arg[0] != (uint32_t)arg[1] && !may_be_replaced((uint32_t)arg[1]))
            return answer(call, -EBADF); /* as for a number above the limit (dup2(2)) */
        return answer(call, replace_descriptor(call));
    case __NR_fcntl:
        if ((int32_t)arg[1] == F_DUPFD || (int32_t)arg[1] == F_DUPFD_CLOEXEC)
            return judge_copy(call);
        if (loses_lines((int32_t)arg[0], (int32_t)arg[1], arg[2]) && is_log_pipe((int32_t)arg[0]))
            break;
        /* Only the descriptor's own flags are protected: status flags belong to the open file, which stderr shares. */
        if (!is_hidden(arg[0]) || (int32_t)arg[1] != F_SETFD)
            return RUN_IN_PLACE;
        break;
    default: return RUN_IN_PLACE;
    }
    return self_protection_refused(call, TEXT("")) ? answer(call, -EACCES) : RUN_IN_PLACE;
}
