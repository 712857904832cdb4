/* Judges socket, connect and listen for outbound_connectivity: the kinds of sockets, and their peers.
 * Tests: tests/security/cases/test_programs.py. */
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../../core/packages.h"
#include "../fds/fd_marks.h"
#include "network.h"

bool outbound_refused(const struct call *call, enum reason reason, struct text protocol)
{
    struct facts facts = {.protocol = protocol};
    return refuses(call, verdict_unlisted(&sealed->policy, OUTBOUND_CONNECTIVITY, reason), &facts);
}

bool unread_refused(const struct call *call, struct text protocol)
{
    return refuses(call, verdict_unread(&sealed->policy), &(struct facts){.protocol = protocol});
}

/* Kinds of socket that cannot be judged later by an address. */
static struct text unjudged_kind(uint32_t family, uint32_t type, uint32_t protocol)
{
    /* Messages from the kernel about interfaces and devices: netlink(7). */
    bool is_kernels =
        family == AF_NETLINK && (protocol == NETLINK_ROUTE || protocol == NETLINK_KOBJECT_UEVENT);
    if (family == AF_UNIX || is_kernels)
        return TEXT("");
    if (family != AF_INET && family != AF_INET6)
        return TEXT("family");
    if (type != SOCK_STREAM && type != SOCK_DGRAM) /* raw, packet, and SCTP or DCCP by their types */
        return TEXT("raw");
    if (protocol == IPPROTO_SCTP) /* it connects by setsockopt too */
        return TEXT("sctp");
    if (protocol == IPPROTO_DCCP)
        return TEXT("dccp");
    if (type == SOCK_STREAM && protocol && protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
        return TEXT("stream"); /* SMC, and others */
    return TEXT("");
}

enum outcome judge_socket(struct call *call)
{
    struct text kind = unjudged_kind((uint32_t)call->arg[0], (uint32_t)call->arg[1] & SOCK_TYPE_MASK,
                                     (uint32_t)call->arg[2]);
    if (kind.len)
        return outbound_refused(call, REASON_FAMILY, kind) ? answer(call, -EACCES) : RUN_IN_PLACE;
    bool is_stream = ((uint32_t)call->arg[1] & SOCK_TYPE_MASK) == SOCK_STREAM;
    /* MPTCP sockets lack the option that fd_marks.c uses: answered as by a kernel without MPTCP. */
    if (is_stream && (uint32_t)call->arg[2] == IPPROTO_MPTCP &&
        (sealed->policy.modes[OUTBOUND_CONNECTIVITY] == MODE_BLOCK || sealed->policy.denied_count))
        return answer(call, -EPROTONOSUPPORT);
    if (!is_stream || ((uint32_t)call->arg[0] != AF_INET && (uint32_t)call->arg[0] != AF_INET6))
        return RUN_IN_PLACE;
    return answer(call, make_tcp_socket(call->arg));
}

int64_t copy_address(uint64_t pointer, uint32_t len, struct sockaddr_bytes *out)
{
    if (len > SOCKADDR_MAX)
        return -EINVAL;
    if (!read_user(out->bytes, pointer, len))
        return -EFAULT;
    out->len = len;
    return 0;
}

static bool keep_name(void *context, uint16_t rule, struct text name)
{
    struct kept_name *kept = context;
    (void)rule;
    kept->len = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    copy_bytes(kept->at, name.at, kept->len);
    return true;
}

bool find_learned_name(const struct address *ip, struct kept_name *kept)
{
    kept->len = 0;
    return names_find(learned_names(), ip, keep_name, kept);
}

static struct verdict verdict_on(const struct endpoint *to, enum protocol protocol)
{
    return verdict_endpoint(&sealed->policy, &sealed->process.always, learned_names(), to, protocol);
}

static enum protocol protocol_of(int32_t type)
{
    return type == SOCK_STREAM ? PROTOCOL_TCP : type == SOCK_DGRAM ? PROTOCOL_UDP : PROTOCOL_OTHER;
}

static int64_t outbound_endpoint_refused(const struct call *call, const struct endpoint *to,
                                         enum protocol protocol, struct verdict verdict)
{
    char entry[NAME_KEPT + 48 + PACKAGES_LONGEST];
    struct kept_name kept;
    find_learned_name(&to->ip, &kept);
    struct facts facts = {
        .host = {kept.at, kept.len},
        .to = *to,
        .protocol = protocol == PROTOCOL_TCP   ? TEXT("tcp")
                    : protocol == PROTOCOL_UDP ? TEXT("udp")
                                               : TEXT("other"),
    };
    struct writer w = {entry, 0, sizeof entry, false};
    put_outbound_entry(&w, facts.host, &to->ip, to->port);
    if (verdict.reason == REASON_PACKAGE &&
        !is_call_by_others(call, &facts, protocol, verdict_packages(&sealed->policy, verdict), &w))
        return 0;
    facts.allow = (struct text){entry, w.full ? 0 : w.used};
    return refuses(call, verdict, &facts) ? -EACCES : 0;
}

/* Whether datagrams to this address were not judged lately: it is not among the last few. */
static bool is_new_destination(const struct endpoint *to)
{
    enum { DESTINATIONS = 16 };
    static struct endpoint last[DESTINATIONS]; /* any thread: a torn one costs a report, or a second one */
    static uint32_t count;
    for (uint32_t i = 0; i < DESTINATIONS; i++)
        if (last[i].port == to->port && address_equal(&last[i].ip, &to->ip))
            return false;
    last[__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED) % DESTINATIONS] = *to;
    return true;
}

/* Reports an allowed call that came through none of the packages in its entries. Port 0 is skipped: it only sorts addresses. */
static void report_others(const struct call *call, const struct endpoint *to, struct socket_facts *socket,
                          struct verdict verdict)
{
    if (!verdict_packages(&sealed->policy, verdict).len || !to->port ||
        (call->nr != __NR_connect && !is_new_destination(to)))
        return;
    verdict.action = ACTION_ALERT;
    verdict.reason = REASON_PACKAGE;
    outbound_endpoint_refused(call, to, protocol_of(read_socket_fact(socket, SOCKET_TYPE)), verdict);
}

/* Whether a TCP connection to this peer must be read: for queries, or for the name in its ClientHello. */
static bool needs_inspection(const struct endpoint *to, struct verdict verdict)
{
    bool by_address =
        verdict.reason == REASON_LISTED && sealed->policy.outbound[verdict.rule].kind == OUTBOUND_NETWORK;
    bool by_name = verdict.reason == REASON_AWS || (verdict.reason == REASON_LISTED && !by_address);
    bool is_judged = by_name || verdict.action == ACTION_ALERT;
    bool may_be_denied = sealed->policy.denies_names && verdict.reason != REASON_ALWAYS;
    return to->port == DNS_PORT || may_be_denied || (is_judged && !sealed->policy.skip_server_name);
}

bool is_inspected_endpoint(const struct endpoint *to)
{
    struct verdict verdict = verdict_on(to, PROTOCOL_TCP);
    return verdict.action == ACTION_DENY || needs_inspection(to, verdict);
}

static bool is_for_any_protocol(struct verdict verdict)
{
    return verdict.reason != REASON_LISTED || sealed->policy.outbound[verdict.rule].protocol == ANY_PROTOCOL;
}

/* Whether it is a TCP socket that was never connected, under any of its numbers. True also for a stale mark on another file:
 * callers must handle both. False also where the peer is a name server and the socket has asked one: answers are counted from the
 * beginning of one connection. */
static bool is_first_connection(int32_t descriptor, const struct endpoint *to)
{
    enum mark_kind kind = fd_mark_kind(descriptor);
    if (kind == MARK_NONE || kind == MARK_TCP_SEEN)
        return false;
    return (to->port != DNS_PORT && are_marks_exact()) || !is_reconnection_forbidden(descriptor);
}

/* `verdict` is the one on TCP. */
static int64_t judge_by(struct verdict verdict, const struct call *call, const struct endpoint *to,
                        struct socket_facts *socket, bool *sees)
{
    /* Most calls end here: a peer that any protocol may reach needs no question to the kernel about the socket. */
    bool name_server = sees && is_resolver_address(to); /* over TCP each query is judged as it is sent */
    bool needs = sees && needs_inspection(to, verdict);
    if (sees)
        *sees = false;
    bool is_settled = verdict.action == ACTION_ALLOW && is_for_any_protocol(verdict);
    /* Nor does a socket's first connection, unless its answers must be read. */
    if (is_settled && (!needs || (is_single_threaded() && to->port != DNS_PORT &&
                                  is_first_connection(socket->descriptor, to)))) {
        report_others(call, to, socket, verdict);
        return 0;
    }
    int32_t type = read_socket_fact(socket, SOCKET_TYPE);
    if (is_error(type))
        return type;
    enum protocol protocol = protocol_of(type);
    if (protocol != PROTOCOL_TCP)
        verdict = verdict_on(to, protocol);
    else if (sees)
        *sees = needs;
    bool passes = verdict.action == ACTION_ALLOW || (name_server && protocol == PROTOCOL_TCP);
    if (!passes)
        return outbound_endpoint_refused(call, to, protocol, verdict);
    report_others(call, to, socket, verdict);
    return 0;
}

int64_t judge_endpoint(const struct call *call, const struct endpoint *to, struct socket_facts *socket)
{
    return judge_by(verdict_on(to, PROTOCOL_TCP), call, to, socket, NULL);
}

/* Judges a further connection of a TCP socket that must be read, as the socket may have numbers without a mark. 0, or an errno. */
static int64_t judge_reconnection(const struct call *call, struct socket_facts *socket,
                                  const struct endpoint *to)
{
    struct endpoint peer;
    if (is_first_connection(socket->descriptor, to))
        return 0;
    if (!peer_of_stream(socket, &peer))
        return -EISCONN;
    if (unread_refused(call, TEXT("reconnect")))
        return -EACCES;
    mark_found_tcp(socket->descriptor);
    return 0;
}

bool is_dns_port(const struct endpoint *to)
{
    return to->port == DNS_PORT;
}

bool is_dns_datagram(const struct endpoint *to, struct socket_facts *socket)
{
    return is_dns_port(to) && is_internet_datagram(socket);
}

/* To sort addresses, getaddrinfo connects a UDP socket to port 0 of each (verdict.c), which is admitted for every listed host.
 * As datagrams to port 0 would arrive, the sending side is shut down first: then sends fail with EPIPE (shutdown(2)), and
 * getsockname works. */
static void allow_sorting_only(const struct endpoint *to, struct socket_facts *socket)
{
    if (to->port == 0 && read_socket_fact(socket, SOCKET_TYPE) == SOCK_DGRAM &&
        verdict_on(to, PROTOCOL_UDP).action == ACTION_ALLOW &&
        sealed->policy.modes[OUTBOUND_CONNECTIVITY] != MODE_ALLOW)
        KERNEL(shutdown, socket->descriptor, SHUT_WR);
}

/* Records a possible name server instead of connecting the UDP socket to it (dns_udp_peer.h). */
static int64_t record_server(const struct call *call, struct socket_facts *socket,
                             const struct sockaddr_bytes *address, const struct endpoint *to,
                             const struct verdict *verdict)
{
    const uint16_t unspec[8] = {0};
    if (address->bytes[0] == AF_INET6 && read_socket_fact(socket, DOMAIN) == AF_INET)
        return -EAFNOSUPPORT;
    int64_t error = is_resolver_address(to) ? 0 : judge_by(*verdict, call, to, socket, NULL);
    if (error)
        return error;
    if (!has_no_peer(
            socket->descriptor)) /* without a peer, a disconnect would lose a port that the kernel chose */
        KERNEL(connect, socket->descriptor, unspec, sizeof unspec);
    return record_name_server(socket->descriptor, address) ? 0 : -EACCES;
}

static int64_t connect_socket(int32_t descriptor, const struct sockaddr_bytes *address)
{
    int64_t result = KERNEL(connect, descriptor, address->bytes, address->len);
    /* Only a UDP socket has a recorded name server; exact marks are never stale. */
    if (!is_error(result) && (has_udp_dns_mark(descriptor) || !has_tcp_mark(descriptor)))
        forget_name_server(descriptor);
    return result;
}

static int64_t connect_to(const struct call *call, struct socket_facts *socket,
                          const struct sockaddr_bytes *address, const struct endpoint *to)
{
    uint64_t mark = get_mark(socket->descriptor);
    struct verdict verdict = verdict_on(to, PROTOCOL_TCP);
    if (verdict.action == ACTION_ALLOW && !needs_inspection(to, verdict) && is_for_any_protocol(verdict)) {
        report_others(call, to, socket, verdict);
        return connect_socket(socket->descriptor, address);
    }
    if (is_dns_datagram(to, socket))
        return record_server(call, socket, address, to, &verdict);
    bool sees = false;
    int64_t error = judge_by(verdict, call, to, socket, &sees);
    if (!error && sees)
        error = judge_reconnection(call, socket, to);
    if (error)
        return error;
    allow_sorting_only(to, socket);
    if (sees && to->port == DNS_PORT) /* so that reads are judged; writes are judged by the peer */
        replace_mark(socket->descriptor, mark, MARK_TCP_DNS);
    return connect_socket(socket->descriptor, address);
}

/* After that a TCP socket cannot connect to a peer that must be read, whether it is connected now or was. */
static int64_t disconnect_socket(struct socket_facts *socket, const struct sockaddr_bytes *address)
{
    forget_name_server(socket->descriptor);
    int64_t result = KERNEL(connect, socket->descriptor, address->bytes, address->len);
    if (!result && is_tcp(socket)) {
        set_marks_inexact();
        forbid_reconnection(socket->descriptor);
    }
    return result;
}

int64_t judge_and_connect(const struct call *call, struct socket_facts *socket,
                          const struct sockaddr_bytes *address)
{
    struct endpoint to;
    switch (endpoint_from_sockaddr(address->bytes, address->len, &to)) {
    case SOCKADDR_UNSPEC: return disconnect_socket(socket, address);
    case SOCKADDR_LOCAL:
    case SOCKADDR_INVALID: break;
    case SOCKADDR_OTHER:
        if (outbound_refused(call, REASON_FAMILY, TEXT("family")))
            return -EACCES;
        break;
    case SOCKADDR_INET: return connect_to(call, socket, address, &to);
    }
    return KERNEL(connect, socket->descriptor, address->bytes, address->len);
}

enum outcome judge_connect(struct call *call)
{
    struct sockaddr_bytes address;
    struct socket_facts socket = {.descriptor = (int32_t)call->arg[0]};
    /* An error is final: the address may become readable a moment later, so the kernel must not read it. */
    int64_t error = copy_address(call->arg[1], (uint32_t)call->arg[2], &address);
    return answer(call, error ? error : judge_and_connect(call, &socket, &address));
}

/* Whether it has no connection, nor a pending one. True for other files than TCP sockets. */
static bool may_listen(int32_t descriptor)
{
    struct tcp_info info;
    return !read_tcp_info(descriptor, &info) || info.tcpi_state == TCP_CLOSE || info.tcpi_state == TCP_LISTEN;
}

/* Accepted sockets have no mark, so they must not connect later: the listening socket is forbidden connections that must be
 * read, and they inherit that. A connected socket keeps its mark, as it cannot listen (listen(2)). */
enum outcome judge_listen(struct call *call)
{
    int32_t descriptor = (int32_t)call->arg[0];
    set_marks_inexact();
    if (may_listen(descriptor))
        forbid_reconnection(descriptor);
    return RUN_IN_PLACE;
}
