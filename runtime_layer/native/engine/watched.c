#include "watched.h"

#include "descriptors.h"
#include "kernel.h"
#include "network.h"
#include "process.h"
#include "state.h"

uint32_t watched[WATCHED_DESCRIPTORS];
static uint32_t generation;
static bool for_good, are_hints;

static bool is_known(int32_t descriptor)
{
    return descriptor >= 0 && descriptor < WATCHED_DESCRIPTORS;
}

uint32_t watch_mark(int32_t descriptor)
{
    return is_known(descriptor) ? __atomic_load_n(&watched[descriptor], __ATOMIC_ACQUIRE) : WATCH_NOTHING;
}

uint8_t watch_kind(int32_t descriptor)
{
    return (uint8_t)watch_mark(descriptor);
}

/* What a UDP socket is connected to is known by its number alone, and one that is not connected looks the same: so its mark
 * says which socket it is for. */
static uint32_t new_mark(int32_t descriptor, uint8_t kind)
{
    uint32_t rest = kind >= WATCH_SERVER ? (uint32_t)socket_cookie(descriptor)
                                         : __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED);
    return rest << 8 | kind;
}

bool watch_is_for(int32_t descriptor, uint32_t mark)
{
    return (uint8_t)mark < WATCH_SERVER || mark == new_mark(descriptor, (uint8_t)mark);
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

bool watch(int32_t descriptor, uint8_t kind)
{
    note_whose_mark();
    if (is_known(descriptor))
        __atomic_store_n(&watched[descriptor], new_mark(descriptor, kind), __ATOMIC_RELEASE);
    return is_known(descriptor);
}

void watch_found(int32_t descriptor)
{
    are_hints = true;
    watch(descriptor, WATCH_STREAM);
}

bool watch_instead(int32_t descriptor, uint32_t seen, uint8_t kind)
{
    note_whose_mark();
    if (is_known(descriptor))
        __atomic_compare_exchange_n(&watched[descriptor], &seen, new_mark(descriptor, kind), false,
                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return is_known(descriptor);
}

bool watch_still(int32_t descriptor, uint32_t seen)
{
    return is_known(descriptor) &&
           __atomic_compare_exchange_n(&watched[descriptor], &seen, new_mark(descriptor, (uint8_t)seen),
                                       false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void unwatch(int32_t descriptor, uint32_t mark)
{
    if (!is_known(descriptor) || is_for_good() || !owns_memory())
        return;
    uint32_t left = had_forks() ? new_mark(descriptor, WATCH_LEFT) : WATCH_NOTHING;
    __atomic_compare_exchange_n(&watched[descriptor], &mark, left, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void watch_closed(int32_t descriptor, uint32_t mark)
{
    if (mark && marks_are_exact())
        unwatch(descriptor, mark);
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

static bool is_stream_mark(uint8_t kind)
{
    return kind == WATCH_STREAM || kind == WATCH_GREETED || kind == WATCH_ANSWERS;
}

bool marks_are_anothers(void)
{
    return is_for_good() || is_fork_of_threads() || !owns_memory();
}

bool is_unmarked(uint32_t mark)
{
    return (uint8_t)mark == WATCH_NOTHING || ((uint8_t)mark == WATCH_LEFT && !marks_are_anothers());
}

bool is_watched_stream(int32_t descriptor)
{
    uint8_t kind = watch_kind(descriptor);
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

uint8_t stream_mark(int32_t descriptor)
{
    uint8_t kind = watch_kind(descriptor);
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

bool watch_copy(int32_t from, uint8_t kind, int32_t to)
{
    if (watch_kind(from) != WATCH_NOTHING || watch_kind(to) != WATCH_NOTHING)
        are_hints = true;
    return kind == WATCH_NOTHING || watch(to, kind);
}

void watch_copied(int32_t from, int32_t to)
{
    uint8_t kind = watch_kind(from);
    if ((kind == WATCH_QUERIES || kind >= WATCH_SERVER) && !is_tcp(to))
        watch(to, kind);
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
