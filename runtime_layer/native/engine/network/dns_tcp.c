#include "dns_tcp.h"

#include <asm/ioctls.h>

#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"

enum {
    LENGTH = 2 /* in front of each message */,
    QUERIES_MAX = 2 * PAGE,
    HEADER_LEN = 12,
    STREAMS = 512 /* that are told apart: what comes on others is not learnt */,
    ANSWER_MAX = 8190 /* of one answer; a longer one teaches nothing */,
    LONGEST = sizeof(struct scratch) /* of what is read at once */
};

/* The answer that is on its way to the program, as far as it has come. */
struct stream {
    uint32_t busy;
    uint32_t used;   /* the clock, when it was last */
    uint64_t cookie; /* of the socket: a descriptor may be one of several */
    uint64_t seen;   /* bytes, since the connection began */
    uint32_t held;
    uint32_t beyond; /* bytes to come of an answer that is too long; NEVER: it is not learnt from any more */
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
    return outbound_refused(call, REASON_NOT_LISTED, TEXT("dns")) ? -EACCES : 0;
}

/* Writes the query at `in` as it is sent on; 0 when it must not be. */
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
    remember_asked(&q);
    uint32_t size = dns_write_query(&q, in, out + LENGTH);
    out[0] = (uint8_t)(size >> 8);
    out[1] = (uint8_t)size;
    return LENGTH + size;
}

/* All of the queries in `in`, as they are sent on. Returns their length; 0 when they must not be, or when, in alert
 * mode, they are not what is sent. */
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
    if (at != len) { /* something else than whole queries */
        *error = refused(call);
        return 0;
    }
    return used;
}

int64_t send_queries(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags)
{
    /* It gets no other connection to a name server: what is taken is counted from the beginning of this one. */
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
            /* Few bytes on a connection that waits for them: they fit. */
            int64_t sent = KERNEL(sendto, descriptor, out, size, flags & ~(uint64_t)MSG_ZEROCOPY, 0, 0);
            bool whole = sent == (int64_t)size;
            if (sent > 0 && !whole) /* a length was announced that will not come */
                KERNEL(shutdown, descriptor, SHUT_RDWR);
            result = whole ? len : is_error(sent) ? sent : -ECONNRESET;
        }
    }
    scratch_give(scratch);
    /* Alert mode: it was reported, and goes as it is. */
    return result ? result : len ? KERNEL(sendmsg, descriptor, m, flags) : 0;
}

static bool is_in_the_midst(const struct stream *s)
{
    return s->held || s->beyond;
}

/* That of this socket; else of those nearby that are in the midst of nothing the one that was not used for the longest
 * time: its connection may go on, and what follows would not be learnt. Each socket begins elsewhere: threads look for one
 * at the same time. Else the oldest: its connection may have ended in the midst of an answer. */
static struct stream *choose_stream(uint64_t cookie)
{
    enum { NEARBY = 16 };
    struct stream *idle = NULL, *oldest = NULL;
    /* Spread, as numbers that follow each other would fill the same neighbourhood. */
    uint32_t first = (uint32_t)((cookie * 0x9e3779b97f4a7c15u) >> 32);
    uint32_t now = __atomic_load_n(&streams_clock, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct stream *s = &streams[(first + i) % STREAMS];
        if (s->cookie == cookie)
            return s;
        if (__atomic_load_n(&s->busy, __ATOMIC_RELAXED))
            continue;
        bool is_idle = !is_in_the_midst(s);
        struct stream **best = is_idle ? &idle : &oldest;
        if (!*best || ((i < NEARBY || !is_idle) && now - s->used > now - (*best)->used))
            *best = s;
    }
    return idle ? idle : oldest;
}

/* Held until it is not busy. NULL: somebody else has what there is. */
static struct stream *stream_of(uint64_t cookie)
{
    enum { TRIES = 8 };
    for (uint32_t i = 0; i < TRIES; i++) {
        struct stream *s = choose_stream(cookie);
        if (!s)
            return NULL;
        bool was_idle = !is_in_the_midst(s);
        if (__atomic_exchange_n(&s->busy, 1, __ATOMIC_ACQUIRE))
            continue;
        if (s->cookie != cookie) {
            if (was_idle && is_in_the_midst(s)) { /* somebody else was quicker */
                __atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
                continue;
            }
            *s = (struct stream){.busy = 1, .cookie = cookie};
        }
        s->used = __atomic_add_fetch(&streams_clock, 1, __ATOMIC_RELAXED);
        return s;
    }
    return NULL;
}

/* How many bytes were taken from a connection since it began, by whomever and in whatever way; UINT64_MAX: not to be told. What
 * came (tcp(7), TCP_INFO), without what waits, and without the end, which is counted like a byte. */
static uint64_t count_bytes_read(int32_t descriptor)
{
    enum { TRIES = 16, KNOWN = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
    struct tcp_info before, after;
    for (uint32_t i = 0; i < TRIES; i++) {
        int32_t waiting = 0;
        if (tell_of_connection(descriptor, &before) < KNOWN ||
            KERNEL(ioctl, descriptor, FIONREAD, &waiting) || tell_of_connection(descriptor, &after) < KNOWN ||
            after.tcpi_state == TCP_CLOSE) /* with an end or without one */
            return UINT64_MAX;
        if (before.tcpi_bytes_received == after.tcpi_bytes_received) /* nothing came in between */
            return after.tcpi_bytes_received - (uint32_t)waiting - (after.tcpi_state >= TCP_CLOSE_WAIT);
    }
    return UINT64_MAX;
}

static void take_in(struct stream *s, const uint8_t *bytes, uint32_t len)
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
    return !peer_of_stream(descriptor, &peer) && is_resolver_address(&peer);
}

/* Bytes that were taken from the stream; NULL: unseen. What follows bytes that nobody saw could not be told apart from what
 * the resolver said: they may have been taken by another thread or process, or by a call that is not judged. */
static void learn_from(int32_t descriptor, const uint8_t *bytes, uint32_t len)
{
    if (!is_from_resolver(descriptor))
        return;
    struct stream *s = stream_of(socket_cookie(descriptor));
    if (!s)
        return;
    s->seen += len;
    if (bytes && s->beyond != NEVER && s->seen == count_bytes_read(descriptor))
        take_in(s, bytes, len);
    else
        s->beyond = NEVER;
    __atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
}

/* One attempt to take what has come. */
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
    /* What was asked is answered by the connection that it was asked on, which the socket then keeps. */
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
        /* The wait holds nothing: see receive.c. Who waits for all has it shown where it will lie. */
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
