/* Socket options and control messages that send a packet elsewhere than to the address that was judged, or make one
 * datagram of several, or several of one: routing headers and source routes (ip(7), ipv6(7), RFC 3542), UDP_CORK and
 * UDP_SEGMENT (udp(7)). */
#include "claims.h"
#include "connecting.h"
#include "descriptors.h"
#include "judges.h"
#include "network.h"
#include "state.h"
#include "watched.h"

enum {
    LEVEL_IP = 0,
    LEVEL_SOCKET = 1,
    LEVEL_UDP = 17,
    LEVEL_IPV6 = 41,
    LEVEL_UDPLITE = 136,
    UDP_SEGMENT = 103,
    OPTION_DOMAIN = 39,
    OPTION_LOCK_FILTER = 44,
    OPTION_NO_FRAME_CHECK = 43,
    UNIX = 1,
    INET = 2,
    INET6 = 10
};

struct option {
    int32_t level, name;
    bool as_option, as_control;
};

static const struct option refused[] = {
    {LEVEL_IP, 4 /* IP_OPTIONS */, true, false},
    {LEVEL_IP, 7 /* IP_RETOPTS */, false, true},
    {LEVEL_IPV6, 57 /* IPV6_RTHDR */, true, true},
    {LEVEL_IPV6, 5 /* IPV6_2292RTHDR */, true, true},
    {LEVEL_IPV6, 6 /* IPV6_2292PKTOPTIONS */, true, false},
    {LEVEL_UDP, 1 /* UDP_CORK */, true, false},
    {LEVEL_UDP, UDP_SEGMENT, false, true},
    {LEVEL_UDPLITE, 1, true, false}, /* the kernel takes either level on either socket */
    {LEVEL_UDPLITE, UDP_SEGMENT, false, true},
};

static bool leads_away(int32_t level, int32_t name, bool is_control)
{
    for (uint32_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].level == level && refused[i].name == name &&
            (is_control ? refused[i].as_control : refused[i].as_option))
            return true;
    return false;
}

/* A flow's label may come with headers for each of its packets, a routing header among them (struct in6_flowlabel_req,
 * include/uapi/linux/in6.h). */
static bool brings_headers(const struct call *call)
{
    enum { FLOW_LABEL = 32 /* IPV6_FLOWLABEL_MGR */, PLAIN = 32 /* bytes */ };
    return (int32_t)call->arg[1] == LEVEL_IPV6 && (int32_t)call->arg[2] == FLOW_LABEL &&
           (int32_t)call->arg[4] > PLAIN;
}

/* Options of TCP with which bytes leave that are not looked at: in the connection's first packet (see send.c), or written
 * by the kernel. They are such as this kernel does not have. 0, or an errno. */
static int64_t hides_bytes(const struct call *call)
{
    enum { LEVEL_TCP = 6, FASTOPEN_CONNECT = 30, UPPER_PROTOCOL = 31 /* TCP_ULP */ };
    if ((int32_t)call->arg[1] != LEVEL_TCP)
        return 0;
    if ((int32_t)call->arg[2] == FASTOPEN_CONNECT)
        return -EOPNOTSUPP;
    bool is_early = (int32_t)call->arg[2] == UPPER_PROTOCOL && is_watched_stream((int32_t)call->arg[0]);
    return is_early ? -ENOENT : 0;
}

/* One write that leaves as several datagrams. Libraries look on the off chance whether the kernel can do it (Netty's native
 * transport, whenever it is loaded; QUIC's) and do without, so this is no violation: this kernel cannot, also where
 * violations are only reported. */
static bool cuts_datagrams(int32_t level, int32_t name)
{
    return (level == LEVEL_UDP || level == LEVEL_UDPLITE) && name == UDP_SEGMENT;
}

enum outcome judge_socket_option(struct call *call)
{
    /* Ours alone: see stream_seen and stream_began. To the program, an older kernel. */
    bool is_ours =
        (int32_t)call->arg[2] == OPTION_LOCK_FILTER || (int32_t)call->arg[2] == OPTION_NO_FRAME_CHECK;
    if ((int32_t)call->arg[1] == LEVEL_SOCKET && is_ours)
        return answer(call, -ENOPROTOOPT);
    if (cuts_datagrams((int32_t)call->arg[1], (int32_t)call->arg[2]))
        return answer(call, -ENOPROTOOPT);
    int64_t hidden = hides_bytes(call);
    if (hidden)
        return answer(call, hidden);
    bool leads = leads_away((int32_t)call->arg[1], (int32_t)call->arg[2], false) || brings_headers(call);
    bool refuses_it = leads && outbound_refused(call, REASON_NOT_LISTED, TEXT("option"));
    return refuses_it ? answer(call, -EACCES) : RUN_IN_PLACE;
}

/* struct cmsghdr on 64-bit (cmsg(3)): each is aligned to eight bytes. */
struct control_header {
    uint64_t len;
    int32_t level, type;
};

enum { RIGHTS = 1 /* SCM_RIGHTS */ };

/* A connection whose bytes are looked at, or could become one. Nothing of the kind becomes of what listens, or of what is
 * connected to a place where nothing is looked at, once that is written down; nor of a connection whose first bytes have
 * left, but for queries. */
static bool has_to_stay(int32_t descriptor)
{
    struct endpoint peer;
    int64_t error = peer_of_stream(descriptor, &peer);
    if (error && error != -ENOTCONN)
        return false;
    if (!error && !is_seen(&peer)) {
        stream_seen(descriptor);
        error = peer_of_stream(descriptor, &peer); /* it may have got another one until here */
    }
    bool is_looked_at = !error && is_seen(&peer);
    bool is_past = is_looked_at && peer.port != DNS_PORT && has_stream_begun(descriptor);
    return !has_last_connection(descriptor) || (is_looked_at && !is_past);
}

/* What is judged by it is what goes: another number for the same, or a file's, held. For give_right; or an errno. While the
 * message's own socket is held nobody waits for a number that is just being given back (claims.c): here they do. */
static int64_t own_right(int32_t theirs)
{
    enum { TURNS = 1000 };
    const uint64_t millisecond[2] = {0, 1000000};
    for (uint32_t turn = 0; is_file(theirs) && turn < TURNS; turn++) {
        if (hold_theirs(theirs)) {
            KERNEL(nanosleep, millisecond, 0);
            continue;
        }
        if (is_file(theirs))
            return theirs;
        let_go(theirs);
    }
    int64_t own = watch_duplicate(theirs);
    if (is_error(own) || !is_file((int32_t)own))
        return own;
    close_held(own); /* another thread laid a file there meanwhile */
    return -EBUSY;
}

static void give_right(int32_t own)
{
    if (is_file(own))
        let_go(own);
    else
        close_held(own);
}

/* Turns the descriptors that are handed on into the gate's own for the same, so that what is judged is what goes. 0;
 * -EACCES for a connection whose bytes are looked at, which nobody would look at there; or an errno. `count`: how many
 * were turned, which are to be given back whatever comes of it. */
static int64_t own_rights(const struct call *call, uint8_t *data, uint64_t len, uint64_t *count)
{
    for (*count = 0; (*count + 1) * sizeof(int32_t) <= len; ++*count) {
        int32_t theirs, own;
        copy_bytes(&theirs, data + *count * sizeof theirs, sizeof theirs);
        int64_t made = own_right(theirs);
        if (is_error(made))
            return made;
        own = (int32_t)made;
        copy_bytes(data + *count * sizeof own, &own, sizeof own);
        if (has_to_stay(own) && outbound_refused(call, REASON_NOT_LISTED, TEXT("socket"))) {
            ++*count;
            return -EACCES;
        }
    }
    return 0;
}

static void close_rights(const uint8_t *data, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        int32_t own;
        copy_bytes(&own, data + i * sizeof own, sizeof own);
        give_right(own);
    }
}

/* Each message of descriptors in turn. On an error nothing of it stays. */
static int64_t own_control(const struct call *call, uint8_t *control, uint64_t len)
{
    struct control_header h;
    for (uint64_t at = 0; len >= sizeof h && at <= len - sizeof h;) {
        copy_bytes(&h, control + at, sizeof h);
        if (h.len < sizeof h || h.len > len - at)
            return 0; /* EINVAL, and nothing is sent */
        uint64_t count;
        bool hands_on = h.level == LEVEL_SOCKET && h.type == RIGHTS;
        int64_t error = hands_on ? own_rights(call, control + at + sizeof h, h.len - sizeof h, &count) : 0;
        if (error) {
            close_rights(control + at + sizeof h, count);
            h.len = 0; /* here the ones to be closed end */
            copy_bytes(control + at, &h, sizeof h);
            return error;
        }
        at += (h.len + 7) & ~7ull;
    }
    return 0;
}

void release_control(const struct message *m, const uint8_t *control)
{
    struct control_header h;
    for (uint64_t at = 0; m->control_len >= sizeof h && at <= m->control_len - sizeof h;) {
        copy_bytes(&h, control + at, sizeof h);
        if (h.len < sizeof h || h.len > m->control_len - at)
            return;
        if (h.level == LEVEL_SOCKET && h.type == RIGHTS)
            close_rights(control + at + sizeof h, (h.len - sizeof h) / sizeof(int32_t));
        at += (h.len + 7) & ~7ull;
    }
}

static bool any_leads_away(const uint8_t *control, uint64_t len)
{
    struct control_header h;
    for (uint64_t at = 0; len >= sizeof h && at <= len - sizeof h;) {
        copy_bytes(&h, control + at, sizeof h);
        if (h.len < sizeof h || h.len > len - at)
            return false; /* EINVAL, and nothing is sent */
        if (leads_away(h.level, h.type, true))
            return true;
        at += (h.len + 7) & ~7ull;
    }
    return false;
}

int64_t judge_control(const struct call *call, int32_t descriptor, struct message *m, uint8_t *copy,
                      bool *has_own)
{
    *has_own = false;
    int32_t domain = 0;
    uint32_t size = sizeof domain;
    KERNEL(getsockopt, descriptor, LEVEL_SOCKET, OPTION_DOMAIN, &domain, &size);
    if (!m->control_len || (domain != INET && domain != INET6 && domain != UNIX))
        return 0;
    bool fits = m->control_len <= CONTROL_MAX;
    if (fits && !read_user(copy, m->control, m->control_len))
        return -EFAULT;
    if (!fits || (domain != UNIX && any_leads_away(copy, m->control_len)))
        if (outbound_refused(call, REASON_NOT_LISTED, TEXT("option")))
            return -EACCES;
    if (!fits)
        return 0;
    m->control = (uint64_t)copy;
    if (domain != UNIX)
        return 0;
    *has_own = true;
    return own_control(call, copy, m->control_len);
}
