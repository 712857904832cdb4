/* Receives answers on sockets that sent queries. They arrive in the gate's own memory first, so that no other thread can change
 * them before the gate reads them. Tests: tests/integration/engine/test_replaced_sockets.py. */
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum { ANSWER_MAX = 3 * PAGE };

/* Waits for a message without taking it, and without a buffer, as the program may leave the wait by longjmp. 0: it may be an
 * answer; NOT_AN_ANSWER, ENDED: the kernel handles it; or an errno. */
enum { NOT_AN_ANSWER = 1, ENDED = 2 /* the socket was shut down */ };
static int64_t await_answer(int32_t descriptor, uint64_t flags)
{
    uint8_t byte;
    struct sockaddr_bytes from = {.len = SOCKADDR_MAX};
    struct vector v = {(uint64_t)&byte, 1};
    struct message peek = {
        .name = (uint64_t)from.bytes, .name_len = SOCKADDR_MAX, .vectors = (uint64_t)&v, .vector_count = 1};
    int64_t n = KERNEL(recvmsg, descriptor, &peek, flags | MSG_PEEK | MSG_TRUNC);
    if (is_error(n))
        return n;
    struct endpoint sender;
    from.len = peek.name_len < SOCKADDR_MAX ? peek.name_len : SOCKADDR_MAX;
    if (!n && !from.len)
        return ENDED;
    bool answers =
        endpoint_from_sockaddr(from.bytes, from.len, &sender) == SOCKADDR_INET && sender.port == DNS_PORT;
    return answers && n <= ANSWER_MAX ? 0 : NOT_AN_ANSWER;
}

/* recvmsg into the gate's own buffers; control messages go to those of `m`. */
static int64_t take_with_header(int32_t descriptor, struct message *m, uint64_t flags,
                                struct sockaddr_bytes *from, uint8_t *buffer)
{
    struct vector v = {(uint64_t)buffer, ANSWER_MAX};
    struct message own = *m;
    own.name = (uint64_t)from->bytes;
    own.name_len = SOCKADDR_MAX;
    own.vectors = (uint64_t)&v;
    own.vector_count = 1;
    int64_t n = KERNEL(recvmsg, descriptor, &own, flags);
    from->len = own.name_len;
    m->flags = own.flags;
    m->control_len = own.control_len;
    return n;
}

/* Receives the waiting message. `m` has the caller's name and control buffers; without a header, only the sender is read.
 * NOT_HEARD: the message was dropped, as another server sent it. */
enum { NOT_HEARD = -ENOMSG };
static int64_t take_answer(int32_t descriptor, struct message *m, bool has_header, uint64_t flags,
                           const struct sockaddr_bytes *server, struct scratch *scratch)
{
    uint8_t *buffer = (uint8_t *)scratch;
    uint64_t room = room_in(m, ANSWER_MAX);
    struct sockaddr_bytes from = {.len = SOCKADDR_MAX};
    int64_t n = has_header ? take_with_header(descriptor, m, flags | MSG_DONTWAIT, &from, buffer)
                           : KERNEL(recvfrom, descriptor, buffer, ANSWER_MAX, flags | MSG_DONTWAIT,
                                    from.bytes, &from.len);
    if (is_error(n))
        return n;
    uint64_t held = (uint64_t)n < ANSWER_MAX ? (uint64_t)n : ANSWER_MAX;
    struct endpoint sender;
    if (from.len > SOCKADDR_MAX)
        from.len = SOCKADDR_MAX;
    if (endpoint_from_sockaddr(from.bytes, from.len, &sender) == SOCKADDR_INET) {
        if (server && !is_sent_by(server, &sender)) {
            if (flags & MSG_PEEK)
                KERNEL(recvfrom, descriptor, buffer, 1, MSG_DONTWAIT, 0, 0);
            return NOT_HEARD;
        }
        held = read_dns_answer(buffer, held, ANSWER_MAX, &sender);
    }
    uint64_t part = held < room ? held : room;
    m->flags |= held > room ? MSG_TRUNC : 0;
    if (m->name) {
        if (!write_user(m->name, from.bytes, from.len < m->name_len ? from.len : m->name_len))
            return -EFAULT;
        m->name_len = from.len;
    }
    if (!scatter(m, buffer, part))
        return -EFAULT;
    return flags & MSG_TRUNC ? (int64_t)held : (int64_t)part;
}

static bool is_query_stream(struct socket_facts *socket)
{
    struct endpoint peer;
    return check_tcp_mark(socket) && !peer_of_stream(socket, &peer) && peer.port == DNS_PORT;
}

/* Receives one message for the caller's header `m`. */
static int64_t receive_one(struct socket_facts *socket, struct message *m, bool has_header, uint64_t flags)
{
    int32_t descriptor = socket->descriptor;
    if (is_query_stream(socket))
        return receive_answers(descriptor, m, flags);
    /* A socket connected to a name server receives answers only, so peeking is needed only where none has arrived. */
    struct sockaddr_bytes server;
    bool is_connected = find_name_server(descriptor, &server), is_there = is_connected;
    for (;;) {
        int64_t awaited = is_there ? 0 : await_answer(descriptor, flags);
        if (awaited == ENDED || (awaited == NOT_AN_ANSWER && !is_connected))
            return KERNEL(recvmsg, descriptor, m, flags);
        if (is_error(awaited))
            return awaited;
        struct scratch *scratch = scratch_take();
        if (!scratch)
            return -ENOMEM;
        struct message taken = *m;
        int64_t n =
            take_answer(descriptor, &taken, has_header, flags, is_connected ? &server : NULL, scratch);
        scratch_give(scratch);
        is_there = n == NOT_HEARD;                                 /* another message may wait */
        if (is_there || (n == -EAGAIN && !(flags & MSG_DONTWAIT))) /* nothing has arrived: waits for it */
            continue;
        *m = taken;
        return n;
    }
}

static int64_t receive_from(struct socket_facts *socket, const uint64_t *arg)
{
    struct vector v = {arg[1], arg[2]};
    uint32_t name_len = 0;
    if (arg[4] && !read_user(&name_len, arg[5], sizeof name_len))
        return -EFAULT;
    if ((int32_t)name_len < 0)
        return -EINVAL;
    struct message m = {.name = arg[4], .name_len = name_len, .vectors = (uint64_t)&v, .vector_count = 1};
    int64_t n = receive_one(socket, &m, false, (uint32_t)arg[3]);
    if (!is_error(n) && arg[4] && !write_user(arg[5], &m.name_len, sizeof m.name_len))
        return -EFAULT;
    return n;
}

static int64_t receive_header(struct socket_facts *socket, uint64_t header, uint64_t flags)
{
    struct message m;
    if (!read_user(&m, header, sizeof m))
        return -EFAULT;
    int64_t n = receive_one(socket, &m, true, flags);
    return is_error(n) || write_user(header, &m, sizeof m) ? n : -EFAULT;
}

/* Waits for the first message as the caller does, then receives those that have arrived, or waits for all, if the caller waits
 * without a time limit. */
static int64_t receive_many(const uint64_t *arg)
{
    uint64_t count = (uint32_t)arg[2] > UIO_MAXIOV ? UIO_MAXIOV : (uint32_t)arg[2];
    bool waits = !(arg[3] & MSG_WAITFORONE) && !arg[4];
    int64_t done = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = arg[1] + i * sizeof(struct sized_message);
        struct socket_facts socket = {.descriptor = (int32_t)arg[0]};
        int64_t n = receive_header(&socket, at, (uint32_t)arg[3] | (i && !waits ? MSG_DONTWAIT : 0));
        uint32_t len = (uint32_t)n;
        if (!is_error(n) && !write_user(at + offsetof(struct sized_message, len), &len, sizeof len))
            n = -EFAULT;
        if (is_error(n))
            return done ? done : n;
        done++;
    }
    return done;
}

/* read and readv: receives without a header. */
static int64_t receive_plain(struct socket_facts *socket, const struct call *call)
{
    struct vector v = {call->arg[1], call->arg[2]};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    if (call->nr == __NR_readv) {
        m.vectors = call->arg[1];
        m.vector_count = (uint32_t)call->arg[2];
    }
    if (!room_in(&m, 1)) /* read(2) of no bytes does not wait */
        return kernel_call(call->nr, call->arg[0], call->arg[1], call->arg[2], 0, 0, 0);
    return receive_one(socket, &m, false, 0);
}

enum outcome judge_receive(struct call *call)
{
    struct socket_facts socket = {.descriptor = (int32_t)call->arg[0]};
    bool plain = call->nr == __NR_read || call->nr == __NR_readv;
    uint64_t flags = plain ? 0 : (uint32_t)call->arg[call->nr == __NR_recvmsg ? 2 : 3];
    if (!(is_query_stream(&socket) || is_dns_socket(&socket)) || flags & MSG_ERRQUEUE)
        return RUN_IN_PLACE;
    switch (call->nr) {
    case __NR_read:
    case __NR_readv: return answer(call, receive_plain(&socket, call));
    case __NR_recvfrom: return answer(call, receive_from(&socket, call->arg));
    case __NR_recvmsg: return answer(call, receive_header(&socket, call->arg[1], flags));
    default: return answer(call, receive_many(call->arg));
    }
}
