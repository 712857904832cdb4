/* Judges calls that send: the address of each message, and the question of each query.
 * Tests: tests/security/cases/test_programs.py. */
#include "../../core/native_code.h"
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../report/node_notes.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum { PAIR = 2 };

static int64_t send_query(const struct call *call, int32_t descriptor, const struct message *m,
                          uint64_t flags, const struct sockaddr_bytes *server)
{
    uint8_t query[QUERY_MAX];
    int64_t len = gather(m, query, sizeof query);
    if (!len) /* it is empty */
        return KERNEL(sendto, descriptor, query, 0, QUERY_FLAGS(flags), server->bytes, server->len);
    if (len == -EMSGSIZE) /* longer than any query */
        return unread_refused(call, TEXT("dns")) ? -EACCES : -EMSGSIZE;
    if (len < 0)
        return len;
    return send_dns_query(call, descriptor, query, (uint32_t)len, flags, server);
}

/* The kind of the destination; AF_UNSPEC is treated as AF_INET (net/ipv4/udp.c). */
static enum sockaddr_kind destination(const struct sockaddr_bytes *address, struct endpoint *to)
{
    enum sockaddr_kind kind = endpoint_from_sockaddr(address->bytes, address->len, to);
    if (kind != SOCKADDR_UNSPEC)
        return kind;
    struct sockaddr_bytes as_inet = *address;
    uint16_t inet = AF_INET;
    copy_bytes(as_inet.bytes, &inet, sizeof inet);
    return endpoint_from_sockaddr(as_inet.bytes, as_inet.len, to);
}

/* Judges a message's address. 0; an errno; IS_QUERY: its name must be judged; WITHOUT_ADDRESS: it is no datagram, and is sent
 * without an address, in case the number becomes a datagram socket's. */
enum { IS_QUERY = 1, WITHOUT_ADDRESS = 2 };
static int64_t judge_destination(const struct call *call, struct socket_facts *socket,
                                 const struct sockaddr_bytes *address)
{
    struct endpoint to;
    switch (destination(address, &to)) {
    case SOCKADDR_OTHER: return outbound_refused(call, REASON_FAMILY, TEXT("family")) ? -EACCES : 0;
    case SOCKADDR_INET: {
        if (!is_dns_datagram(&to, socket)) {
            int64_t refused = judge_endpoint(call, &to, socket);
            return refused || !is_dns_port(&to) ? refused : WITHOUT_ADDRESS;
        }
        int64_t error = is_resolver_address(&to) ? 0 : judge_endpoint(call, &to, socket);
        return error ? error : IS_QUERY;
    }
    default: return 0;
    }
}

/* Copies the caller's address and judges it likewise. */
static int64_t judge_address(const struct call *call, struct socket_facts *socket, uint64_t pointer,
                             uint32_t length, struct sockaddr_bytes *address)
{
    int64_t error = copy_address(pointer, length, address);
    return error ? error : judge_destination(call, socket, address);
}

/* MSG_FASTOPEN would send data unjudged in the connection's first packet. Instead the gate connects, then sends, like the
 * kernel for a server without a cookie (tcp(7), TCP Fast Open); a socket that does not wait gets EINPROGRESS and sends nothing. */
static int64_t connect_and_send(const struct call *call, struct socket_facts *socket, struct message m,
                                uint64_t flags)
{
    struct sockaddr_bytes address;
    int64_t error = copy_address(m.name, m.name_len, &address);
    if (!error)
        error = judge_and_connect(call, socket, &address);
    m.name = m.name_len = 0;
    return error ? error : send_on_tcp(call, socket->descriptor, &m, flags);
}

/* Sends one message whose header and control messages are the gate's copy. */
static int64_t send_judged(const struct call *call, struct socket_facts *socket, bool is_stream,
                           struct message m, uint64_t flags)
{
    int32_t descriptor = socket->descriptor;
    struct sockaddr_bytes address;
    if (m.vector_count > UIO_MAXIOV)
        return -EMSGSIZE;
    bool opens = flags & MSG_FASTOPEN && m.name && is_tcp(socket);
    flags &= ~(uint64_t)MSG_FASTOPEN;
    if (opens)
        return connect_and_send(call, socket, m, flags);
    if (is_stream)
        return send_on_tcp(call, socket->descriptor, &m, flags);
    if (!m.name || !m.name_len) { /* no address, as for the kernel */
        m.name = 0;
        if (find_name_server(descriptor, &address))
            return send_query(call, descriptor, &m, flags, &address);
        m.name_len = 0;
        return KERNEL(sendmsg, descriptor, &m, flags);
    }
    if ((int32_t)m.name_len < 0)
        return -EINVAL;
    /* The kernel cuts a long name in a message header, where it refuses one in sendto. */
    uint32_t length = m.name_len > SOCKADDR_MAX ? SOCKADDR_MAX : m.name_len;
    int64_t judged = judge_address(call, socket, m.name, length, &address);
    if (judged < 0)
        return judged;
    if (judged == IS_QUERY)
        return send_query(call, descriptor, &m, flags, &address);
    bool has_address = judged != WITHOUT_ADDRESS;
    m.name = has_address ? (uint64_t)address.bytes : 0;
    m.name_len = has_address ? address.len : 0;
    return KERNEL(sendmsg, descriptor, &m, flags);
}

/* Sends one message, whose control messages are judged by the kind of socket. */
static int64_t send_one(const struct call *call, struct socket_facts *socket, bool is_stream,
                        struct message m, uint64_t flags)
{
    uint8_t control[CONTROL_MAX];
    if (!m.control_len)
        return send_judged(call, socket, is_stream, m, flags);
    int64_t refused = judge_control(call, socket, &m, control);
    return refused ? refused : send_judged(call, socket, is_stream, m, flags);
}

static int64_t send_to(const struct call *call, struct socket_facts *socket, bool is_stream)
{
    const uint64_t *arg = call->arg;
    struct vector v = {arg[1], arg[2]};
    struct message m = {.name = arg[4], .vectors = (uint64_t)&v, .vector_count = 1};
    m.name_len = m.name ? (uint32_t)arg[5] : 0;
    if (m.name && !m.name_len && !is_stream) /* sendto refuses an empty address, sendmsg ignores it */
        return KERNEL(sendto, arg[0], arg[1], arg[2], arg[3], arg[4], 0);
    return m.name_len > SOCKADDR_MAX ? -EINVAL : send_judged(call, socket, is_stream, m, (uint32_t)arg[3]);
}

/* Judges both queries of one look-up (IPv4 and IPv6), and sends them by one call, as libraries do: two calls would wake the
 * name server twice. False: other messages, or queries that are not allowed without an alert. */
static bool send_pair(const struct call *call, int64_t *result)
{
    struct sockaddr_bytes server;
    struct sized_message many[PAIR];
    struct vector vectors[PAIR];
    uint8_t query[DNS_QUERY_MAX], sent[PAIR][DNS_QUERY_MAX];
    if (call->arg[2] != PAIR || sealed->policy.modes[OUTBOUND_CONNECTIVITY] != MODE_BLOCK ||
        !find_name_server((int32_t)call->arg[0], &server) || !read_user(many, call->arg[1], sizeof many))
        return false;
    uint32_t lengths[PAIR];
    for (uint32_t i = 0; i < PAIR; i++) {
        struct message *m = &many[i].message;
        int64_t len = m->name || m->control_len ? -EINVAL : gather(m, query, sizeof query);
        uint32_t size = len > 0 ? rewrite_dns_query(query, (uint32_t)len, sent[i]) : 0;
        if (!size)
            return false;
        vectors[i] = (struct vector){(uint64_t)sent[i], size};
        *m = (struct message){.name = (uint64_t)server.bytes,
                              .name_len = server.len,
                              .vectors = (uint64_t)&vectors[i],
                              .vector_count = 1};
        lengths[i] = (uint32_t)len;
    }
    *result = KERNEL(sendmmsg, call->arg[0], many, PAIR, QUERY_FLAGS((uint32_t)call->arg[3]));
    for (int64_t i = 0; i < *result; i++) /* the length of the program's own query */
        if (!write_user(call->arg[1] + (uint64_t)i * sizeof *many + offsetof(struct sized_message, len),
                        &lengths[i], sizeof *lengths))
            *result = -EFAULT;
    return true;
}

/* As in the kernel, returns the count of messages sent, or the first one's error. */
static int64_t send_many(const struct call *call, bool is_stream)
{
    uint32_t count = (uint32_t)call->arg[2] > UIO_MAXIOV ? UIO_MAXIOV : (uint32_t)call->arg[2];
    int64_t done = 0;
    if (send_pair(call, &done))
        return done;
    done = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sized_message many;
        uint64_t at = call->arg[1] + i * sizeof many;
        int64_t sent = -EFAULT;
        struct socket_facts socket = {.descriptor = (int32_t)call->arg[0]};
        if (read_user(&many, at, sizeof many))
            sent = send_one(call, &socket, is_stream, many.message, (uint32_t)call->arg[3]);
        uint32_t len = (uint32_t)sent;
        if (!is_error(sent) && !write_user(at + offsetof(struct sized_message, len), &len, sizeof len))
            sent = -EFAULT;
        if (is_error(sent))
            return done ? done : sent;
        done++;
    }
    return done;
}

enum outcome judge_send(struct call *call)
{
    uint64_t *arg = call->arg;
    struct socket_facts socket = {.descriptor = (int32_t)arg[0]};
    bool is_stream = check_tcp_mark(&socket);
    bool judges = policy_judges_outbound(&sealed->policy);
    if (call->nr == __NR_sendto) {
        /* The peer of a connected socket was judged when it connected. */
        uint64_t mark = get_mark((int32_t)arg[0]);
        bool passes =
            !judges || (!is_stream && !arg[4] && get_mark_kind(mark) == MARK_NONE && !(mark & MARK_UDP_DNS));
        return passes ? RUN_IN_PLACE : answer(call, send_to(call, &socket, is_stream));
    }
    if (call->nr == __NR_sendmmsg)
        return judges ? answer(call, send_many(call, is_stream)) : RUN_IN_PLACE;
    struct message m;
    if (!read_user(&m, arg[1], sizeof m))
        return answer(call, -EFAULT);
    return judges ? answer(call, send_one(call, &socket, is_stream, m, (uint32_t)arg[2])) : RUN_IN_PLACE;
}

/* A note, or a question for V8's flags. */
static int64_t take_node_note(const struct call *call)
{
    char bytes[NOTE_MAX];
    struct text flags = TEXT("");
    int64_t taken = keep_node_note(call, bytes, &flags);
    struct call asked = *call;
    asked.nr = -1; /* the write is no act of the caller */
    return flags.len && bridge_is_refused(&asked, flags, TEXT(NODE_FLAGS)) ? -EACCES : taken;
}

/* Until the runtime is ready, each write may be its first request; later the gate passes only writes on marked descriptors
 * here. */
enum outcome judge_write(struct call *call)
{
    uint64_t *arg = call->arg;
    int32_t descriptor = (int32_t)arg[0];
    if (descriptor == NOTES_DESCRIPTOR && call->nr == __NR_write)
        return answer(call, take_node_note(call));
    struct socket_facts socket = {.descriptor = descriptor};
    bool is_stream = check_tcp_mark(&socket);
    struct vector v = {arg[1], arg[2]};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    if (call->nr == __NR_writev) {
        m.vectors = arg[1];
        m.vector_count = (uint32_t)arg[2];
    }
    if (m.vector_count > UIO_MAXIOV)
        return RUN_IN_PLACE; /* EINVAL */
    struct sockaddr_bytes server;
    if (is_stream)
        return answer(call, send_on_tcp(call, descriptor, &m, 0));
    if (find_name_server(descriptor, &server))
        return answer(call, send_query(call, descriptor, &m, 0, &server));
    return RUN_IN_PLACE;
}

/* Calls that write bytes which the gate cannot read. Where bytes must be read, they fail as for a kind of socket that does not
 * support the call, and programs copy instead (sendfile(2), splice(2)). In alert mode too, as its reports must name everything
 * that block mode would stop. */
enum outcome judge_unread(struct call *call)
{
    struct socket_facts socket = {.descriptor = (int32_t)call->arg[call->nr == __NR_splice ? 2 : 0]};
    return check_tcp_mark(&socket) ? answer(call, -EINVAL) : RUN_IN_PLACE;
}

/* Asynchronous writes name descriptors in the program's memory, which can change before the kernel reads them: the calls fail
 * as in a kernel without them (io_setup(2)). */
enum outcome judge_asynchronous(struct call *call)
{
    return answer(call, -ENOSYS);
}
