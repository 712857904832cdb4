/* Judges queries of DNS over TCP (RFC 7766) before they leave, and learns addresses from answers of the function's own
 * resolver. A write must hold whole queries, each with its length in front, as resolver libraries send them; a denied query
 * fails the write. Tests: tests/integration/engine/test_queries.py. */
#include <asm/ioctls.h>

#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum {
    LENGTH = 2 /* in front of each message */,
    QUERIES_MAX = 2 * PAGE,
    HEADER_LEN = 12,
    STREAMS = 512,
    ANSWER_MAX = 8190 /* bytes of an answer; longer ones are not learned */,
    LONGEST = sizeof(struct scratch) /* bytes of one read */
};

/* The part of an answer that the program has received. */
struct stream {
    uint32_t busy;
    uint32_t used;   /* streams_clock at the last use */
    uint64_t cookie; /* of the socket: a descriptor may be one of several */
    uint64_t seen;   /* bytes, since the connection began */
    uint32_t held;
    uint32_t beyond; /* further bytes of an answer that is too long; NEVER: nothing more is learned */
};
#define NEVER UINT32_MAX
static struct stream streams[STREAMS];
static uint8_t answers[STREAMS][LENGTH + ANSWER_MAX];
static uint32_t streams_clock;

static uint32_t read_length(const uint8_t *at)
{
    return (uint32_t)(at[0] << 8 | at[1]);
}

static int64_t refused(const struct call *call)
{
    return unread_refused(call, TEXT("dns")) ? -EACCES : 0;
}

/* Writes the query at `in` in its final form; 0: it must not be sent. */
static uint32_t judge_one(const struct call *call, const uint8_t *in, uint32_t len, uint8_t *out,
                          int64_t *error)
{
    struct dns_question q;
    struct facts facts = {.protocol = TEXT("dns")};
    if (!dns_read_query(in, len, &q)) {
        *error = refused(call);
        return 0;
    }
    struct verdict verdict = judge_question(&q, &facts);
    if (refuses(call, verdict, &facts)) {
        *error = -EACCES;
        return 0;
    }
    record_asked(&q);
    uint32_t size = dns_write_query(&q, in, out + LENGTH);
    out[0] = (uint8_t)(size >> 8);
    out[1] = (uint8_t)size;
    return LENGTH + size;
}

/* Writes all queries in `in` in their final form. Returns their length; 0: they must not be sent (`*error`), or, in alert mode,
 * they are sent unchanged. */
static uint32_t judge_queries(const struct call *call, const uint8_t *in, uint32_t len, uint8_t *out,
                              uint32_t cap, int64_t *error)
{
    uint32_t used = 0, at = 0;
    *error = 0;
    while (len - at > LENGTH && cap - used >= LENGTH + DNS_QUERY_MAX) {
        uint32_t size = read_length(in + at);
        if (size < HEADER_LEN || size > len - at - LENGTH)
            break;
        uint32_t written = judge_one(call, in + at + LENGTH, size, out + used, error);
        if (!written)
            return 0;
        at += LENGTH + size;
        used += written;
    }
    if (at != len) { /* other bytes than whole queries */
        *error = refused(call);
        return 0;
    }
    return used;
}

int64_t send_queries(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags)
{
    /* Forbids another connection to a name server, as bytes are counted from the beginning of this one. */
    forbid_reconnection(descriptor);
    int64_t error;
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -ENOMEM;
    uint8_t *in = (uint8_t *)scratch, *out = in + QUERIES_MAX;
    int64_t len = gather(m, in, QUERIES_MAX), result = len;
    if (len == -EMSGSIZE) {
        error = result = refused(call);
    } else if (len > 0) {
        uint32_t size = judge_queries(call, in, (uint32_t)len, out, QUERIES_MAX, &error);
        result = error;
        if (size) {
            /* A pending connection has room for these few bytes. */
            int64_t sent = KERNEL(sendto, descriptor, out, size, flags & ~(uint64_t)MSG_ZEROCOPY, 0, 0);
            bool whole = sent == (int64_t)size;
            if (sent > 0 && !whole) /* the announced length cannot follow */
                KERNEL(shutdown, descriptor, SHUT_RDWR);
            result = whole ? len : is_error(sent) ? sent : -ECONNRESET;
        }
    }
    scratch_give(scratch);
    /* Alert mode: it was reported, and is sent unchanged. */
    return result ? result : len ? KERNEL(sendmsg, descriptor, m, flags) : 0;
}

/* The stream of this socket; else, of the neighbours, the one unused for longest, which learns no more. NULL: other threads
 * hold all. Each socket starts at another place, as threads search at the same time. */
static struct stream *choose_stream(uint64_t cookie)
{
    enum { NEARBY = 16 };
    struct stream *oldest = NULL;
    /* A hash, as successive cookies would be neighbours. */
    uint32_t first = (uint32_t)((cookie * 0x9e3779b97f4a7c15u) >> 32);
    uint32_t now = __atomic_load_n(&streams_clock, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < NEARBY; i++) {
        struct stream *s = &streams[(first + i) % STREAMS];
        if (s->cookie == cookie)
            return s;
        if (!__atomic_load_n(&s->busy, __ATOMIC_RELAXED) && (!oldest || now - s->used > now - oldest->used))
            oldest = s;
    }
    return oldest;
}

/* Takes the stream; the caller releases it by `busy`. NULL: other threads hold all. */
static struct stream *stream_of(uint64_t cookie)
{
    enum { TRIES = 8 };
    for (uint32_t i = 0; i < TRIES; i++) {
        struct stream *s = choose_stream(cookie);
        if (!s)
            return NULL;
        if (__atomic_exchange_n(&s->busy, 1, __ATOMIC_ACQUIRE))
            continue;
        if (s->cookie != cookie)
            *s = (struct stream){.busy = 1, .cookie = cookie};
        s->used = __atomic_add_fetch(&streams_clock, 1, __ATOMIC_RELAXED);
        return s;
    }
    return NULL;
}

/* The bytes read from a connection since it began, by any call of any process; UINT64_MAX: unknown. They are the received bytes
 * (tcp(7), TCP_INFO) without the unread ones, and without the connection's end, which counts as a byte. */
static uint64_t count_bytes_read(int32_t descriptor)
{
    enum { TRIES = 16, KNOWN = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
    struct tcp_info before, after;
    for (uint32_t i = 0; i < TRIES; i++) {
        int32_t waiting = 0;
        if (read_tcp_info(descriptor, &before) < KNOWN || KERNEL(ioctl, descriptor, FIONREAD, &waiting) ||
            read_tcp_info(descriptor, &after) < KNOWN ||
            after.tcpi_state == TCP_CLOSE) /* the end may or may not be counted */
            return UINT64_MAX;
        if (before.tcpi_bytes_received == after.tcpi_bytes_received) /* nothing arrived in between */
            return after.tcpi_bytes_received - (uint32_t)waiting - (after.tcpi_state >= TCP_CLOSE_WAIT);
    }
    return UINT64_MAX;
}

static void learn_bytes(struct stream *s, const uint8_t *bytes, uint32_t len)
{
    uint8_t *answer = answers[s - streams];
    while (len) {
        uint32_t part = len;
        if (s->beyond) {
            part = part < s->beyond ? part : s->beyond;
            s->beyond -= part;
        } else {
            uint32_t want = s->held < LENGTH ? LENGTH : LENGTH + read_length(answer);
            part = part < want - s->held ? part : want - s->held;
            copy_bytes(answer + s->held, bytes, part);
            s->held += part;
            uint32_t size = s->held < LENGTH ? 0 : read_length(answer);
            if (s->held >= LENGTH && size > ANSWER_MAX) {
                s->beyond = size;
                s->held = 0;
            } else if (s->held >= LENGTH && s->held == LENGTH + size) {
                learn_from_answer(answer + LENGTH, size);
                s->held = 0;
            }
        }
        bytes += part;
        len -= part;
    }
}

static bool is_from_resolver(int32_t descriptor)
{
    struct endpoint peer;
    return !peer_of_connection(descriptor, &peer) && is_resolver_address(&peer);
}

/* Learns from bytes read from the stream; NULL: they were not seen. After unseen bytes, which another thread or process or an
 * unjudged call read, answers cannot be delimited, so nothing more is learned. */
static void learn_from(int32_t descriptor, const uint8_t *bytes, uint32_t len)
{
    if (!is_from_resolver(descriptor))
        return;
    struct stream *s = stream_of(socket_cookie(descriptor));
    if (!s)
        return;
    s->seen += len;
    if (bytes && s->beyond != NEVER && s->seen == count_bytes_read(descriptor))
        learn_bytes(s, bytes, len);
    else
        s->beyond = NEVER;
    __atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
}

/* Reads available bytes, without waiting. */
static int64_t take_answers(int32_t descriptor, struct message *m, uint64_t flags)
{
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -ENOMEM;
    uint8_t *bytes = (uint8_t *)scratch;
    struct vector v = {(uint64_t)bytes, room_in(m, LONGEST)};
    struct message own = *m;
    own.vectors = (uint64_t)&v;
    own.vector_count = 1;
    /* A socket that sent queries keeps its connection (send_queries), on which the answers arrive. */
    bool is_sure = is_reconnection_forbidden(descriptor) && is_from_resolver(descriptor);
    int64_t n = KERNEL(recvmsg, descriptor, &own, flags | MSG_DONTWAIT);
    if (n > 0)
        learn_from(descriptor, is_sure ? bytes : NULL, (uint32_t)n);
    if (n > 0 && !scatter(m, bytes, (uint64_t)n))
        n = -EFAULT;
    m->flags = own.flags;
    m->name_len = own.name_len;
    m->control_len = own.control_len;
    scratch_give(scratch);
    return n;
}

int64_t receive_answers(int32_t descriptor, struct message *m, uint64_t flags)
{
    if (flags & MSG_PEEK)
        return KERNEL(recvmsg, descriptor, m, flags);
    bool is_too_long = flags & MSG_WAITALL && room_in(m, LONGEST + 1) > LONGEST;
    if (is_too_long || flags & (MSG_OOB | MSG_TRUNC)) {
        int64_t taken = KERNEL(recvmsg, descriptor, m, flags);
        if (taken > 0)
            learn_from(descriptor, NULL, 0);
        return taken;
    }
    for (;;) {
        /* Waits without a buffer, as await_answer does (receive.c). With MSG_WAITALL it peeks into the caller's vectors, as the
         * kernel then waits until all are full. */
        uint8_t byte;
        struct vector v = {(uint64_t)&byte, 1};
        struct message peek = {.vectors = (uint64_t)&v, .vector_count = 1};
        if (flags & MSG_WAITALL) {
            peek.vectors = m->vectors;
            peek.vector_count = m->vector_count;
        }
        int64_t n = KERNEL(recvmsg, descriptor, &peek, flags | MSG_PEEK);
        if (n <= 0)
            return n;
        n = take_answers(descriptor, m, flags);
        if (n != -EAGAIN || flags & MSG_DONTWAIT)
            return n;
    }
}
