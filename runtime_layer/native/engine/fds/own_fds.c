/* Tests: tests/integration/engine/test_midst.py. */
#include "own_fds.h"

#include "../base/procfs.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "fd_marks.h"

static uint32_t highest; /* any thread that keeps a descriptor: it only rises, before the mark is set */

static void record_highest(uint32_t descriptor)
{
    uint32_t before = __atomic_load_n(&highest, __ATOMIC_RELAXED);
    while (descriptor > before && !__atomic_compare_exchange_n(&highest, &before, descriptor, false,
                                                               __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

void own_fd_mark(int32_t descriptor)
{
    record_highest((uint32_t)descriptor);
    mark_own(descriptor, true);
}

/* A vfork child sets no mark: it has one thread, and the marks are for its parent's numbers. */
static int64_t mark_unless_child(int64_t descriptor)
{
    if (descriptor >= 0 && is_memory_owner())
        own_fd_mark((int32_t)descriptor);
    return descriptor;
}

int64_t own_fd_copy(int64_t descriptor)
{
    return mark_unless_child(KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, OWN_FDS_FIRST));
}

int64_t own_fd_take(int64_t descriptor)
{
    if (is_error(descriptor))
        return descriptor;
    int64_t moved = KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, OWN_FDS_FIRST);
    if (is_error(moved))
        moved = KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, descriptor + 1);
    if (is_error(moved))
        moved = descriptor; /* a limit leaves no higher number */
    else
        KERNEL(close, descriptor);
    return mark_unless_child(moved);
}

bool own_fd_keep(int64_t descriptor, int32_t wanted)
{
    int64_t kept = KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, wanted);
    if (kept == wanted)
        own_fd_mark(wanted);
    else if (kept >= 0)
        KERNEL(close, kept);
    return kept == wanted;
}

/* The mark is removed first, as the program may get a closed number at once. */
void own_fd_close(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    if (is_memory_owner())
        mark_own((int32_t)descriptor, false);
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

bool may_be_replaced(uint32_t descriptor)
{
    if (!is_memory_owner())
        return true;
    bool is_reserved = descriptor >= OWN_FDS_FIRST && descriptor < OWN_FDS_END;
    return !is_own_fd(descriptor) && (!is_reserved || !is_error(KERNEL(fcntl, descriptor, F_GETFD, 0)));
}

uint32_t own_fd_next(uint32_t from)
{
    uint32_t last = __atomic_load_n(&highest, __ATOMIC_SEQ_CST);
    for (uint32_t i = from; i <= last; i++)
        if (is_own_fd(i))
            return i;
    return UINT32_MAX;
}
