#include "tcp_send.h"

#include <linux/poll.h>

#include "../base/linux_abi.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "client_hello.h"
#include "dns_tcp.h"

enum { PIECE_VECTORS = 16 };

/* Part of a message, as vectors into the caller's memory. */
struct piece {
    struct message message;
    struct vector vectors[PIECE_VECTORS];
    uint64_t size;
    bool is_last;
};

/* What follows the first `skip` bytes, at most `most` of it. False when a vector cannot be read. */
static bool cut(const struct message *m, uint64_t skip, uint64_t most, struct piece *p)
{
    uint64_t i = 0;
    bool is_cut = false;
    p->message = *m;
    p->size = 0;
    p->message.name = p->message.name_len = 0;
    p->message.vectors = (uint64_t)p->vectors;
    p->message.vector_count = 0;
    for (; i < m->vector_count && i < UIO_MAXIOV && p->message.vector_count < PIECE_VECTORS && !is_cut; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v) || (int64_t)v.len < 0)
            return false;
        uint64_t gone = skip < v.len ? skip : v.len;
        skip -= gone;
        if (v.len == gone)
            continue;
        is_cut = v.len - gone > most - p->size;
        uint64_t part = is_cut ? most - p->size : v.len - gone;
        p->vectors[p->message.vector_count++] = (struct vector){v.base + gone, part};
        p->size += part;
    }
    p->is_last = i >= m->vector_count && !is_cut;
    return true;
}

/* Without waiting. -ENOTCONN: there is no connection to judge by yet, and nothing was sent. */
static int64_t send_piece(const struct call *call, int32_t descriptor, struct piece *p, uint64_t flags)
{
    struct endpoint peer;
    uint64_t mark = get_mark(descriptor);
    flags |= MSG_DONTWAIT | (p->is_last ? 0 : MSG_MORE);
    if (get_mark_kind(mark) == MARK_NONE)
        return KERNEL(sendmsg, descriptor, &p->message, flags);
    /* Of the only thread it is the TCP socket that the judge found it to be. */
    int64_t error = is_single_threaded() ? peer_of(descriptor, &peer) : peer_of_stream(descriptor, &peer);
    if (error)
        return error;
    return peer.port == DNS_PORT ? send_queries(call, descriptor, &p->message, flags)
                                 : send_first_bytes(call, descriptor, mark, &peer, &p->message, flags);
}

static bool may_wait(int32_t descriptor, uint64_t flags)
{
    return !(flags & MSG_DONTWAIT) && waits(descriptor);
}

/* For as long as the program said (socket(7), SO_SNDTIMEO): 0, -EAGAIN when that is over, or -EINTR. */
static int64_t await_room(int32_t descriptor)
{
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    int64_t limit = longest_wait(descriptor, SO_SNDTIMEO), time[2] = {limit / SECOND, limit % SECOND};
    int64_t ready = KERNEL(ppoll, &room, 1, limit ? time : NULL, 0, 8);
    return ready > 0 ? 0 : ready ? ready : -EAGAIN;
}

/* A socket that is being connected is waited for as the program would wait: with a message of nothing at all, which the
 * kernel refuses with what is wrong, if something is. */
static int64_t await_connection(int32_t descriptor, uint64_t flags)
{
    struct message nothing = {0};
    struct endpoint peer;
    int64_t error = KERNEL(sendmsg, descriptor, &nothing, flags);
    return error ? error : peer_of_stream(descriptor, &peer);
}

int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags)
{
    uint64_t sent = 0;
    if (flags & MSG_OOB) /* a byte that is not among those that are read (tcp(7)) */
        return -EOPNOTSUPP;
    for (;;) {
        struct piece piece;
        if (!cut(m, sent, has_tcp_mark(descriptor) ? FIRST_MAX : UINT64_MAX, &piece))
            return sent ? (int64_t)sent : -EFAULT;
        int64_t n = send_piece(call, descriptor, &piece, flags);
        bool is_early = n == -ENOTCONN, is_full = n == -EAGAIN && may_wait(descriptor, flags);
        if (is_early || is_full) {
            n = is_early ? await_connection(descriptor, flags) : await_room(descriptor);
            if (!n)
                continue;
        }
        if (is_error(n))
            return sent ? (int64_t)sent : n;
        sent += (uint64_t)n;
        bool is_whole = (uint64_t)n == piece.size;
        if ((is_whole && piece.is_last) || !n || (!is_whole && !may_wait(descriptor, flags)))
            return (int64_t)sent;
    }
}
