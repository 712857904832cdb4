/* Copies of descriptors: what is looked at under one number is looked at under each. A number is taken for something
 * harmless first, and marked; then the copy is laid over it. So no copy is there before its mark. */
#include "claims.h"
#include "connecting.h"
#include "judges.h"
#include "kernel.h"
#include "network.h"
#include "process.h"
#include "state.h"
#include "watched.h"
#include "written.h"

/* The lowest free number from `least` on, taken with the log's file, or where there is none, with another. */
static int64_t reserve(uint64_t least)
{
    if (sealed.log >= 0)
        return KERNEL(fcntl, sealed.log, F_DUPFD_CLOEXEC, least);
    int64_t root = KERNEL(openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0);
    if (is_error(root) || (uint64_t)root >= least)
        return root;
    int64_t number = KERNEL(fcntl, root, F_DUPFD_CLOEXEC, least);
    KERNEL(close, root);
    return number;
}

/* Such a number, marked, which nobody is writing to, held; or an errno. */
static int64_t reserve_marked(enum watch kind, uint64_t least)
{
    int64_t number = hold(reserve(least));
    while (!is_error(number)) {
        bool is_known = kind == WATCH_NOTHING || watch((int32_t)number, kind);
        if (is_known && !is_being_written((int32_t)number))
            return number;
        close_held(number);
        number = is_known ? hold(reserve((uint64_t)number + 1)) : -EMFILE;
    }
    return number;
}

/* A copy at the lowest free number from `least` on, with such a mark, and what else is known of `from`. It is held from
 * the start, so that nobody closes or replaces it, or takes the mark for that of something else (leftover.c). */
static int64_t copy_marked(int32_t from, enum watch kind, uint64_t least, uint32_t flags)
{
    marks_are_hints();
    int64_t number = reserve_marked(kind, least);
    if (is_error(number))
        return number;
    if (number == from) { /* it was free */
        close_held(number);
        return -EBADF;
    }
    int64_t copy = KERNEL(dup3, from, number, flags);
    if (is_error(copy))
        close_held(number);
    else
        name_server_copied(from, (int32_t)copy);
    return copy;
}

/* One without a mark is being made by another thread, or by what a handler interrupted. */
static bool is_unseen_stream(int32_t descriptor)
{
    return is_tcp(descriptor) && !(has_last_connection(descriptor) && has_stream_begun(descriptor));
}

/* Takes the mark from a copy that got it before it was known, or gives it one. True: it needs it. */
static bool settle_copy(int32_t copy, bool is_marked)
{
    bool needs_mark = is_unseen_stream(copy);
    if (needs_mark && !is_marked)
        watch_found(copy);
    else if (!needs_mark && is_marked)
        unwatch(copy, watch_mark(copy));
    return needs_mark;
}

/* What has no mark may be replaced, until it is copied, by what needs one: so the copy has one until it is known. A vfork
 * child marks nothing but what is known (watch_for_good). */
int64_t watch_duplicate(int32_t descriptor)
{
    enum watch kind = stream_mark(descriptor);
    bool guesses = kind == WATCH_NOTHING && owns_memory();
    int64_t own = copy_marked(descriptor, guesses ? WATCH_STREAM : kind, FAR_NUMBER, O_CLOEXEC);
    if (!is_error(own) && kind == WATCH_NOTHING)
        settle_copy((int32_t)own, guesses);
    return own;
}

static int64_t hold_itself(int32_t descriptor)
{
    int64_t error = hold_theirs(descriptor);
    return error ? error : descriptor;
}

int64_t watch_apart(int32_t descriptor)
{
    int64_t own = watch_duplicate(descriptor);
    return own == -EMFILE || own == -EINVAL ? hold_itself(descriptor) : own;
}

int64_t watch_held(int32_t descriptor)
{
    return is_alone() ? hold_itself(descriptor) : watch_apart(descriptor);
}

void watch_held_end(int32_t descriptor, int64_t own)
{
    if (own == descriptor)
        let_go(own);
    else
        close_held(own);
}

int64_t watch_own(int32_t descriptor)
{
    return is_alone() ? descriptor : watch_held(descriptor);
}

void watch_own_end(int32_t descriptor, int64_t own)
{
    if (own != descriptor || !is_alone())
        watch_held_end(descriptor, own);
}

void watch_carry(int32_t descriptor, int64_t own)
{
    if (own != descriptor && has_queries((int32_t)own))
        watch_queries(descriptor);
}

/* The same socket by another number. */
static int64_t move(int64_t made, uint32_t type)
{
    enum { CLOSE_ON_EXEC = O_CLOEXEC /* SOCK_CLOEXEC (socket(2)) */ };
    int64_t copy = copy_marked((int32_t)made, WATCH_STREAM, (uint64_t)made + 1, type & CLOSE_ON_EXEC);
    let_go(copy);
    return copy;
}

/* Before anybody could copy a socket, or a handler fork, its number has its mark; unless number or mark were taken
 * meanwhile, or a handler came where nobody else is: then it is thrown away. */
static int64_t make_one(const uint64_t *arg, bool *is_well)
{
    uint64_t calls = calls_so_far();
    if (is_alone()) {
        int64_t made = KERNEL(socket, arg[0], arg[1], arg[2]);
        *is_well = is_error(made) || (watch((int32_t)made, WATCH_STREAM) && !was_interrupted(calls));
        return made;
    }
    int64_t number = reserve(0);
    if (is_error(number))
        return number;
    *is_well = watch((int32_t)number, WATCH_STREAM);
    uint64_t mark = watch_mark((int32_t)number);
    KERNEL(close, number);
    int64_t made = KERNEL(socket, arg[0], arg[1], arg[2]);
    *is_well = is_error(made) || (*is_well && made == number && watch_still((int32_t)made, mark));
    return made;
}

int64_t make_stream(const uint64_t *arg)
{
    enum { TURNS = 1000 };
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        bool is_well = true;
        int64_t made = make_one(arg, &is_well);
        if (is_error(made))
            return made;
        int64_t kept = made;
        if (is_well && !is_alone() && is_being_written((int32_t)made))
            kept = move(made, (uint32_t)arg[1]);
        if (!is_well || kept != made)
            KERNEL(close, made);
        if (is_well)
            return kept;
        KERNEL(sched_yield);
    }
    return -EMFILE;
}

static uint32_t flags_of_copy(const struct call *call)
{
    return call->nr != __NR_dup && (int32_t)call->arg[1] == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0;
}

/* Of what has no mark. Where another thread may be making it at this moment, the copy has one until it is known. */
static int64_t copy_unmarked(int32_t from, uint64_t least, const struct call *call, uint64_t calls)
{
    bool marks = !is_alone() && owns_memory();
    int64_t copy = marks ? copy_marked(from, WATCH_STREAM, least, flags_of_copy(call))
                         : kernel_call(call->nr, call->arg[0], call->arg[1], call->arg[2], 0, 0, 0);
    if (is_error(copy))
        return copy;
    if (!marks && has_mark(from)) {
        marks_are_hints();
        name_server_copied(from, (int32_t)copy);
    }
    if (!was_interrupted(calls))
        return copy;
    if (settle_copy((int32_t)copy, marks))
        watch_found(from);
    if (marks)
        let_go(copy);
    return copy;
}

enum outcome judge_copy(struct call *call)
{
    uint64_t calls = calls_so_far();
    int32_t from = (int32_t)call->arg[0];
    uint64_t least = call->nr == __NR_dup ? 0 : (uint32_t)call->arg[2];
    enum watch kind = stream_mark(from);
    if (kind == WATCH_NOTHING || !(owns_memory() || is_tcp(from))) /* as in lay_over */
        return answer(call, copy_unmarked(from, least, call, calls));
    int64_t copy = copy_marked(from, kind, least, flags_of_copy(call));
    let_go(copy);
    return answer(call, copy);
}

/* Where another thread, or a handler, may be making what has no mark, the number has one until it is known. A vfork child
 * marks nothing but sockets: its numbers are other things to its parent (watch_for_good). EBUSY is what dup2(2) answers when
 * it meets an open that is under way. */
int64_t lay_over(const struct call *call)
{
    const uint64_t *arg = call->arg;
    int32_t from = (int32_t)arg[0], to = (int32_t)arg[1];
    uint64_t calls = calls_so_far(), made = 0;
    enum watch kind = stream_mark(from); /* looked at once: it may go, and what it was for be replaced */
    bool is_marked = kind != WATCH_NOTHING && is_tcp(from);
    if (!is_marked && !owns_memory())
        marks_are_hints();
    else if (!watch_copy(from, kind, to))
        return -EBADF; /* what the kernel says of a number that is too high */
    if (!is_marked && !is_alone() && owns_memory())
        made = watch_meanwhile(to);
    if (is_marked && stays_being_written(to))
        return -EBUSY;
    int64_t result = kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    if (!is_error(result))
        name_server_copied(from, to);
    if (is_marked || !was_interrupted(calls))
        return result;
    if (!is_unseen_stream(to)) {
        if (made)
            unwatch(to, made);
        return result;
    }
    watch_found(to);
    if (is_error(result) || !is_being_written(to))
        return result;
    KERNEL(close, to);
    return -EBUSY;
}
