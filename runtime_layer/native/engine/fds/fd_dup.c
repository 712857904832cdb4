#include "fd_dup.h"

#include "../base/handlers.h"
#include "../base/raw_syscall.h"
#include "../state/fd_pins.h"
#include "../state/process_state.h"
#include "../network/network.h"
#include "fd_marks.h"

/* What is known of one descriptor holds for its copy. False: its number is too high for a mark that it needs. */
static bool note_copy(int32_t from, int32_t to)
{
    enum watch kind = stream_mark(from);
    if (has_mark(from) || has_mark(to))
        marks_are_hints();
    /* A vfork child marks nothing but sockets: its numbers are other things to its parent (watch_for_good). */
    bool needs_mark = kind != WATCH_NOTHING && (owns_memory() || is_tcp(from));
    if (needs_mark && !watch(to, kind))
        return false;
    name_server_copied(from, to);
    return true;
}

int64_t watch_duplicate(int32_t descriptor)
{
    int64_t own = hold(KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, FAR_NUMBER));
    if (is_error(own) || note_copy(descriptor, (int32_t)own))
        return own;
    close_held(own);
    return -EMFILE;
}

int64_t watch_own(int32_t descriptor)
{
    if (is_alone())
        return descriptor;
    int64_t own = watch_duplicate(descriptor);
    if (own != -EMFILE && own != -EINVAL)
        return own;
    int64_t error = hold_theirs(descriptor);
    return error ? error : descriptor;
}

void watch_own_end(int32_t descriptor, int64_t own)
{
    if (own != descriptor)
        close_held(own);
    else if (!is_alone())
        let_go(own);
}

void watch_carry(int32_t descriptor, int64_t own)
{
    if (own != descriptor && has_queries((int32_t)own))
        watch_queries(descriptor);
}

int64_t make_stream(const uint64_t *arg)
{
    int64_t made = KERNEL(socket, arg[0], arg[1], arg[2]);
    if (is_error(made) || watch((int32_t)made, WATCH_STREAM))
        return made;
    KERNEL(close, made);
    return -EMFILE;
}

enum outcome judge_copy(struct call *call)
{
    int64_t copy = kernel_call(call->nr, call->arg[0], call->arg[1], call->arg[2], 0, 0, 0);
    if (is_error(copy) || note_copy((int32_t)call->arg[0], (int32_t)copy))
        return answer(call, copy);
    KERNEL(close, copy);
    return answer(call, -EMFILE);
}

/* A number that is too high is told before, as what is replaced does not come back. */
int64_t lay_over(const struct call *call)
{
    const uint64_t *arg = call->arg;
    int32_t from = (int32_t)arg[0], to = (int32_t)arg[1];
    enum watch kind = stream_mark(from);
    bool is_watched = kind != WATCH_NOTHING && is_tcp(from);
    if (is_watched && !watch(to, kind))
        return -EBADF; /* what the kernel says of it */
    int64_t result = kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    if (!is_error(result))
        note_copy(from, to);
    else if (is_watched)
        marks_are_hints();
    return result;
}
