#include "watched.h"

#include "descriptors.h"
#include "kernel.h"
#include "network.h"
#include "process.h"
#include "state.h"

uint64_t watched[WATCHED_DESCRIPTORS];
static uint64_t generation;
static bool for_good, are_hints;

static bool is_known(int32_t descriptor)
{
    return descriptor >= 0 && descriptor < WATCHED_DESCRIPTORS;
}

uint64_t watch_mark(int32_t descriptor)
{
    return is_known(descriptor) ? __atomic_load_n(&watched[descriptor], __ATOMIC_ACQUIRE) : WATCH_NOTHING;
}

enum watch kind_of_mark(uint64_t mark)
{
    return (enum watch)(mark & WATCH_KINDS);
}

enum watch watch_kind(int32_t descriptor)
{
    return kind_of_mark(watch_mark(descriptor));
}

bool has_mark(int32_t descriptor)
{
    return watch_mark(descriptor) & (WATCH_KINDS | WATCH_QUERIES);
}

bool has_queries(int32_t descriptor)
{
    return watch_mark(descriptor) & WATCH_QUERIES;
}

static bool is_stream_mark(enum watch kind)
{
    return kind == WATCH_STREAM || kind == WATCH_GREETED || kind == WATCH_ANSWERS;
}

static uint64_t new_mark(enum watch kind)
{
    return __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED) << 8 | kind;
}

bool marks_are_exact(void)
{
    return !are_hints && is_alone() && !had_kin();
}

void marks_are_hints(void)
{
    are_hints = true;
}

/* The marks of a vfork child are made here too, of one that lays descriptors over its own for the program that it starts
 * (posix_spawn) as well: their numbers are other things to us. */
static void note_whose_mark(void)
{
    if (!is_for_good() && !owns_memory())
        watch_for_good();
}

/* Whether queries go by it stays as it is. */
static bool put_mark(int32_t descriptor, uint64_t seen, uint64_t mark)
{
    uint64_t now = seen;
    while (is_known(descriptor) && (now & ~(uint64_t)WATCH_QUERIES) == (seen & ~(uint64_t)WATCH_QUERIES))
        if (__atomic_compare_exchange_n(&watched[descriptor], &now, mark | (now & WATCH_QUERIES), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return true;
    return false;
}

bool watch(int32_t descriptor, enum watch kind)
{
    note_whose_mark();
    uint64_t mark = new_mark(kind);
    while (is_known(descriptor) && !put_mark(descriptor, watch_mark(descriptor), mark))
        ;
    return is_known(descriptor);
}

void watch_found(int32_t descriptor)
{
    are_hints = true;
    watch(descriptor, WATCH_STREAM);
}

uint64_t watch_meanwhile(int32_t descriptor)
{
    are_hints = true;
    note_whose_mark();
    for (;;) {
        uint64_t seen = watch_mark(descriptor);
        enum watch kind = kind_of_mark(seen);
        uint64_t mark = new_mark(is_stream_mark(kind) ? kind : WATCH_STREAM);
        if (!is_known(descriptor))
            return 0;
        if (put_mark(descriptor, seen, mark))
            return is_stream_mark(kind) ? 0 : mark;
    }
}

bool watch_queries(int32_t descriptor)
{
    if (!is_known(descriptor))
        return false;
    if (!has_queries(descriptor)) {
        note_whose_mark();
        __atomic_fetch_or(&watched[descriptor], WATCH_QUERIES, __ATOMIC_SEQ_CST);
    }
    return true;
}

void forget_queries(int32_t descriptor)
{
    if (has_queries(descriptor) && owns_memory())
        __atomic_fetch_and(&watched[descriptor], ~(uint64_t)WATCH_QUERIES, __ATOMIC_SEQ_CST);
}

void watch_instead(int32_t descriptor, uint64_t seen, enum watch kind)
{
    note_whose_mark();
    put_mark(descriptor, seen, new_mark(kind));
}

bool watch_still(int32_t descriptor, uint64_t seen)
{
    return put_mark(descriptor, seen, new_mark(kind_of_mark(seen)));
}

void unwatch(int32_t descriptor, uint64_t mark)
{
    if (is_for_good() || !owns_memory())
        return;
    put_mark(descriptor, mark, had_forks() ? new_mark(WATCH_LEFT) : 0);
}

void watch_closed(int32_t descriptor, uint64_t mark)
{
    if (!mark || !marks_are_exact())
        return;
    unwatch(descriptor, mark);
    forget_queries(descriptor);
}

enum { LEVEL_SOCKET = 1 };

/* TCP, or MPTCP: of the internet's families, and no others. */
static bool is_stream(int32_t descriptor, bool *is_nothing)
{
    enum { OPTION_PROTOCOL = 38, TCP = 6, MPTCP = 262 };
    int32_t protocol = 0;
    uint32_t size = sizeof protocol;
    *is_nothing = KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_PROTOCOL, &protocol, &size) == -EBADF;
    return protocol == TCP || protocol == MPTCP;
}

bool marks_are_anothers(void)
{
    return is_for_good() || is_fork_of_threads() || !owns_memory();
}

bool is_unmarked(uint64_t mark)
{
    enum watch kind = kind_of_mark(mark);
    return kind == WATCH_NOTHING || (kind == WATCH_LEFT && !marks_are_anothers());
}

bool is_watched_stream(int32_t descriptor)
{
    enum watch kind = watch_kind(descriptor);
    bool is_nothing;
    /* One number may need two kinds of mark. */
    bool counts = is_stream_mark(kind) || (kind != WATCH_NOTHING && marks_are_anothers());
    if (marks_are_exact())
        return counts;
    return counts && (is_stream(descriptor, &is_nothing) || is_nothing);
}

bool is_tcp(int32_t descriptor)
{
    bool is_nothing;
    return is_stream(descriptor, &is_nothing);
}

enum watch stream_mark(int32_t descriptor)
{
    enum watch kind = watch_kind(descriptor);
    if (kind == WATCH_LEFT)
        return marks_are_anothers() ? WATCH_STREAM : WATCH_NOTHING;
    return is_stream_mark(kind) ? kind : WATCH_NOTHING;
}

bool has_stream_mark(int32_t descriptor)
{
    return stream_mark(descriptor) != WATCH_NOTHING;
}

bool is_for_good(void)
{
    return may_mistake_owner() || __atomic_load_n(&for_good, __ATOMIC_SEQ_CST);
}

void watch_for_good(void)
{
    __atomic_store_n(&for_good, true, __ATOMIC_SEQ_CST);
}

bool watch_copy(int32_t from, enum watch kind, int32_t to)
{
    if (has_mark(from) || has_mark(to))
        are_hints = true;
    return kind == WATCH_NOTHING || watch(to, kind);
}

uint64_t socket_cookie(int32_t descriptor)
{
    enum { OPTION_COOKIE = 57 };
    uint64_t cookie = 0;
    uint32_t size = sizeof cookie;
    return is_error(KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_COOKIE, &cookie, &size)) ? 0 : cookie;
}

/* The kernel remembers it for us, by an option that a program cannot take back: that no filter is attached any more, which
 * no TCP client does anyway (socket(7), SO_LOCK_FILTER). It belongs to the socket: every copy has it, in every process,
 * whatever becomes of the connection, and so have the sockets that a listening one accepts. */
enum { OPTION_LOCK_FILTER = 44 };

bool stream_seen(int32_t descriptor)
{
    int32_t on = 1;
    return !is_error(KERNEL(setsockopt, descriptor, LEVEL_SOCKET, OPTION_LOCK_FILTER, &on, sizeof on));
}

bool was_stream_seen(int32_t descriptor)
{
    int32_t on = 0;
    uint32_t size = sizeof on;
    return !is_error(KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_LOCK_FILTER, &on, &size)) && on;
}

/* The same way, by an option that says something of packet sockets only (packet(7), SO_NOFCS). */
enum { OPTION_NO_FRAME_CHECK = 43 };

void stream_began(int32_t descriptor)
{
    int32_t on = 1;
    KERNEL(setsockopt, descriptor, LEVEL_SOCKET, OPTION_NO_FRAME_CHECK, &on, sizeof on);
}

bool has_stream_begun(int32_t descriptor)
{
    int32_t on = 0;
    uint32_t size = sizeof on;
    return !is_error(KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_NO_FRAME_CHECK, &on, &size)) && on;
}

static bool watch_if_stream(int32_t descriptor)
{
    bool is_nothing;
    if (is_stream(descriptor, &is_nothing))
        watch_found(descriptor);
    return false;
}

void watch_inherited(void)
{
    bool is_listed = each_descriptor(watch_if_stream) != NOT_LISTED;
    for (int32_t i = 0; !is_listed && i < WATCHED_DESCRIPTORS; i++) /* each may be one */
        watch_found(i);
}
