#include "fd_marks.h"

#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "fd_list.h"

uint64_t watched[WATCHED_DESCRIPTORS];
static uint64_t generation;
static bool are_hints;

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
    return !are_hints && is_alone();
}

void marks_are_hints(void)
{
    are_hints = true;
}

/* What stands beside the kind stays as it is. */
static bool put_mark(int32_t descriptor, uint64_t seen, uint64_t mark)
{
    const uint64_t beside = WATCH_QUERIES | WATCH_OWN;
    uint64_t now = seen;
    while (is_known(descriptor) && (now & ~beside) == (seen & ~beside))
        if (__atomic_compare_exchange_n(&watched[descriptor], &now, mark | (now & beside), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return true;
    return false;
}

bool watch(int32_t descriptor, enum watch kind)
{
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

bool watch_queries(int32_t descriptor)
{
    if (!is_known(descriptor))
        return false;
    if (!has_queries(descriptor))
        __atomic_fetch_or(&watched[descriptor], WATCH_QUERIES, __ATOMIC_SEQ_CST);
    return true;
}

void forget_queries(int32_t descriptor)
{
    if (has_queries(descriptor))
        __atomic_fetch_and(&watched[descriptor], ~(uint64_t)WATCH_QUERIES, __ATOMIC_SEQ_CST);
}

void mark_own(int32_t descriptor, bool is_own)
{
    if (!is_known(descriptor))
        return;
    if (is_own)
        __atomic_fetch_or(&watched[descriptor], WATCH_OWN, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&watched[descriptor], ~(uint64_t)WATCH_OWN, __ATOMIC_SEQ_CST);
}

void watch_instead(int32_t descriptor, uint64_t seen, enum watch kind)
{
    put_mark(descriptor, seen, new_mark(kind));
}

void unwatch(int32_t descriptor, uint64_t mark)
{
    put_mark(descriptor, mark, 0);
}

void watch_closed(int32_t descriptor, uint64_t mark)
{
    if (!mark || !marks_are_exact())
        return;
    unwatch(descriptor, mark);
    forget_queries(descriptor);
}

/* TCP, or MPTCP: of the internet's families, and no others. */
bool is_tcp(int32_t descriptor)
{
    int32_t protocol = 0;
    uint32_t size = sizeof protocol;
    KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
    return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

bool is_watched_stream(int32_t descriptor)
{
    return is_stream_mark(watch_kind(descriptor)) && (marks_are_exact() || is_tcp(descriptor));
}

bool settle_stream_mark(int32_t descriptor)
{
    uint64_t mark = watch_mark(descriptor);
    bool is_watched = is_watched_stream(descriptor);
    if (!is_watched && is_stream_mark(kind_of_mark(mark)))
        unwatch(descriptor, mark);
    return is_watched;
}

enum watch stream_mark(int32_t descriptor)
{
    enum watch kind = watch_kind(descriptor);
    return is_stream_mark(kind) ? kind : WATCH_NOTHING;
}

bool has_stream_mark(int32_t descriptor)
{
    return stream_mark(descriptor) != WATCH_NOTHING;
}

uint64_t socket_cookie(int32_t descriptor)
{
    uint64_t cookie = 0;
    uint32_t size = sizeof cookie;
    return is_error(KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size)) ? 0 : cookie;
}

/* The kernel remembers it for us, by an option that a program cannot take back: that no filter is attached any more, which
 * no TCP client does anyway (socket(7), SO_LOCK_FILTER). It belongs to the socket: every copy has it, in every process,
 * whatever becomes of the connection, and so have the sockets that a listening one accepts. */
bool stream_seen(int32_t descriptor)
{
    int32_t on = 1;
    return !is_error(KERNEL(setsockopt, descriptor, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on));
}

bool was_stream_seen(int32_t descriptor)
{
    int32_t on = 0;
    uint32_t size = sizeof on;
    return !is_error(KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_LOCK_FILTER, &on, &size)) && on;
}

/* The same way, by an option that says something of packet sockets only (packet(7), SO_NOFCS). */
void stream_began(int32_t descriptor)
{
    int32_t on = 1;
    KERNEL(setsockopt, descriptor, SOL_SOCKET, SO_NOFCS, &on, sizeof on);
}

bool has_stream_begun(int32_t descriptor)
{
    int32_t on = 0;
    uint32_t size = sizeof on;
    return !is_error(KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_NOFCS, &on, &size)) && on;
}

static bool watch_if_stream(int32_t descriptor)
{
    if (is_tcp(descriptor))
        watch_found(descriptor);
    return false;
}

void watch_inherited(void)
{
    bool is_listed = each_descriptor(watch_if_stream) != NOT_LISTED;
    for (int32_t i = 0; !is_listed && i < WATCHED_DESCRIPTORS; i++) /* each may be one */
        watch_found(i);
}
