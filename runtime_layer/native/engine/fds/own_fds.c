#include "own_fds.h"

#include "../base/proc_path.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "fd_marks.h"

static uint32_t highest;

static void note_highest(uint32_t descriptor)
{
    uint32_t before = __atomic_load_n(&highest, __ATOMIC_RELAXED);
    while (descriptor > before && !__atomic_compare_exchange_n(&highest, &before, descriptor, false,
                                                               __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

bool own_fd_mark(int32_t descriptor)
{
    note_highest((uint32_t)descriptor);
    return !(add_to_mark(descriptor, MARK_OWN) & MARK_HELD);
}

/* By a number over which nobody is about to lay something else. Or an errno. A vfork child has one thread, and its numbers
 * are other things to its parent, whose marks it shares. */
static int64_t copy_above(int64_t descriptor, int64_t lowest)
{
    for (;;) {
        int64_t copy = KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, lowest);
        if (is_error(copy) || !is_memory_owner() || own_fd_mark((int32_t)copy))
            return copy;
        own_fd_close(copy);
        lowest = copy + 1;
    }
}

int64_t own_fd_take(int64_t descriptor)
{
    if (is_error(descriptor))
        return descriptor;
    int64_t moved = copy_above(descriptor, OWN_FDS_FIRST);
    if (is_error(moved))
        moved = copy_above(descriptor, descriptor + 1);
    if (!is_error(moved))
        KERNEL(close, descriptor);
    else if (is_memory_owner())
        own_fd_mark((int32_t)descriptor);
    return is_error(moved) ? descriptor : moved; /* the last one that the limit allows */
}

/* In this order: once it is closed the number may be the program's. */
void own_fd_close(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    if (is_memory_owner())
        take_from_mark((int32_t)descriptor, MARK_OWN);
    KERNEL(close, descriptor);
}

int64_t own_fd_refer(int32_t descriptor)
{
    char path[48];
    if (descriptor < 0)
        return -EBADF;
    path_through(descriptor, TEXT(""), path, sizeof path);
    int64_t reference = KERNEL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    return own_fd_take(reference == -ENOENT ? -EBADF : reference);
}

bool is_own_fd(uint32_t descriptor)
{
    return descriptor < MARKED_FDS_MAX && get_mark((int32_t)descriptor) & MARK_OWN;
}

static bool is_reserved(uint32_t descriptor)
{
    return descriptor >= OWN_FDS_FIRST && descriptor < OWN_FDS_END;
}

bool begin_replacing(uint32_t descriptor)
{
    if (!is_memory_owner())
        return true;
    if (!is_reserved(descriptor))
        return !is_own_fd(descriptor);
    uint64_t before = add_to_mark((int32_t)descriptor, MARK_HELD);
    if (before & MARK_HELD)
        return false;
    bool is_theirs = !(before & MARK_OWN) && !is_error(KERNEL(fcntl, descriptor, F_GETFD));
    if (!is_theirs)
        take_from_mark((int32_t)descriptor, MARK_HELD);
    return is_theirs;
}

void end_replacing(uint32_t descriptor)
{
    if (is_reserved(descriptor) && is_memory_owner())
        take_from_mark((int32_t)descriptor, MARK_HELD);
}

uint32_t own_fd_next(uint32_t from)
{
    uint32_t last = __atomic_load_n(&highest, __ATOMIC_SEQ_CST);
    for (uint32_t i = from; i <= last; i++)
        if (is_own_fd(i))
            return i;
    return UINT32_MAX;
}
