/* Judges socket options and control messages that send a packet to another address than the judged one, or join or split
 * datagrams: routing headers and source routes (ip(7), ipv6(7), RFC 3542), UDP_CORK and UDP_SEGMENT (udp(7)).
 * Tests: tests/security/test_evasion.py. */
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum { UDP_SEGMENT = 103 };

struct option {
    int32_t level, name;
    bool as_option, as_control;
};

static const struct option refused[] = {
    {SOL_IP, 4 /* IP_OPTIONS */, true, false},
    {SOL_IP, 7 /* IP_RETOPTS */, false, true},
    {SOL_IPV6, 57 /* IPV6_RTHDR */, true, true},
    {SOL_IPV6, 5 /* IPV6_2292RTHDR */, true, true},
    {SOL_IPV6, 6 /* IPV6_2292PKTOPTIONS */, true, false},
    {SOL_UDP, 1 /* UDP_CORK */, true, false},
    {SOL_UDP, UDP_SEGMENT, false, true},
    {SOL_UDPLITE, 1, true, false}, /* the kernel takes either level on either socket */
    {SOL_UDPLITE, UDP_SEGMENT, false, true},
};

static bool redirects_packets(int32_t level, int32_t name, bool is_control)
{
    for (uint32_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].level == level && refused[i].name == name &&
            (is_control ? refused[i].as_control : refused[i].as_option))
            return true;
    return false;
}

/* Whether a flow label adds headers to its packets, such as a routing header (struct in6_flowlabel_req,
 * include/uapi/linux/in6.h). */
static bool adds_headers(const struct call *call)
{
    enum { PLAIN = 32 /* bytes */ };
    return (int32_t)call->arg[1] == SOL_IPV6 && (int32_t)call->arg[2] == IPV6_FLOWLABEL_MGR &&
           (int32_t)call->arg[4] > PLAIN;
}

/* TCP options by which bytes leave unjudged, in the connection's first packet (send.c) or encrypted by the kernel, fail as in a
 * kernel without them. 0, or an errno. */
static int64_t judge_hidden_bytes(const struct call *call)
{
    if ((int32_t)call->arg[1] != SOL_TCP)
        return 0;
    if ((int32_t)call->arg[2] == TCP_FASTOPEN_CONNECT)
        return -EOPNOTSUPP;
    struct socket_facts socket = {.descriptor = (int32_t)call->arg[0]};
    bool is_early = (int32_t)call->arg[2] == TCP_ULP && check_tcp_mark(&socket);
    return is_early ? -ENOENT : 0;
}

/* Whether the option splits one write into several datagrams. Libraries probe for it (Netty's native transport, QUIC's) and
 * work without it, so it is no violation: it fails as in a kernel without it, in alert mode too. */
static bool splits_datagrams(int32_t level, int32_t name)
{
    return (level == SOL_UDP || level == SOL_UDPLITE) && name == UDP_SEGMENT;
}

enum outcome judge_socket_option(struct call *call)
{
    /* Reserved for forbid_reconnection: fails as in an older kernel. */
    if ((int32_t)call->arg[1] == SOL_SOCKET && (int32_t)call->arg[2] == SO_LOCK_FILTER)
        return answer(call, -ENOPROTOOPT);
    if (splits_datagrams((int32_t)call->arg[1], (int32_t)call->arg[2]))
        return answer(call, -ENOPROTOOPT);
    int64_t hidden = judge_hidden_bytes(call);
    if (hidden)
        return answer(call, hidden);
    bool leads = redirects_packets((int32_t)call->arg[1], (int32_t)call->arg[2], false) || adds_headers(call);
    bool refuses_it = leads && outbound_refused(call, REASON_NOT_LISTED, TEXT("option"));
    return refuses_it ? answer(call, -EACCES) : RUN_IN_PLACE;
}

/* struct cmsghdr on 64-bit (cmsg(3)): each is aligned to eight bytes. */
struct control_header {
    uint64_t len;
    int32_t level, type;
};

/* Whether the socket has, or could get, a connection that must be read. A listening socket, one connected to another peer, and
 * one whose first bytes have left do not count, once reconnection is forbidden; but queries are always read. */
static bool has_bytes_to_read(int32_t descriptor)
{
    struct endpoint peer;
    int64_t error = peer_of_connection(descriptor, &peer);
    if (error && error != -ENOTCONN)
        return false;
    if (!error && !is_inspected_endpoint(&peer))
        forbid_reconnection(descriptor);
    return !is_reconnection_forbidden(descriptor) || (!error && peer.port == DNS_PORT);
}

/* Refuses to pass such a socket to another process, which may be without the shield. */
static bool rights_refused(const struct call *call, const uint8_t *data, uint64_t len)
{
    for (uint64_t at = 0; at + sizeof(int32_t) <= len; at += sizeof(int32_t)) {
        int32_t descriptor;
        copy_bytes(&descriptor, data + at, sizeof descriptor);
        if (has_bytes_to_read(descriptor) && unread_refused(call, TEXT("socket")))
            return true;
    }
    return false;
}

/* Whether a control message passes a socket with has_bytes_to_read, or, on an internet socket, redirects a packet. */
static bool control_refused(const struct call *call, const uint8_t *control, uint64_t len, bool is_local)
{
    struct control_header h;
    for (uint64_t at = 0; len >= sizeof h && at <= len - sizeof h; at += (h.len + 7) & ~7ull) {
        copy_bytes(&h, control + at, sizeof h);
        if (h.len < sizeof h || h.len > len - at)
            return false; /* EINVAL, and nothing is sent */
        bool passes_descriptors = is_local && h.level == SOL_SOCKET && h.type == SCM_RIGHTS;
        if (passes_descriptors && rights_refused(call, control + at + sizeof h, h.len - sizeof h))
            return true;
        if (!is_local && redirects_packets(h.level, h.type, true))
            return outbound_refused(call, REASON_NOT_LISTED, TEXT("option"));
    }
    return false;
}

int64_t judge_control(const struct call *call, struct socket_facts *socket, struct message *m, uint8_t *copy)
{
    int32_t domain = read_socket_fact(socket, DOMAIN);
    if (!m->control_len || (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX))
        return 0;
    if (m->control_len > CONTROL_MAX)
        return outbound_refused(call, REASON_NOT_LISTED, TEXT("option")) ? -EACCES : 0;
    if (!read_user(copy, m->control, m->control_len))
        return -EFAULT;
    m->control = (uint64_t)copy;
    return control_refused(call, copy, m->control_len, domain == AF_UNIX) ? -EACCES : 0;
}
