/* Datagrams and messages: where each goes, and what a query among them asks. */
#include "judges.h"
#include "network.h"
#include "ready.h"
#include "state.h"

enum { INET = 2 };

int64_t gather(uint64_t vectors, uint64_t count, uint8_t *out, uint64_t cap)
{
    uint64_t len = 0;
    if (count > VECTORS_MAX)
        return -EMSGSIZE;
    for (uint64_t i = 0; i < count; i++) {
        struct vector v;
        if (!read_user(&v, vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        if (v.len > cap - len)
            return -EMSGSIZE;
        if (!read_user(out + len, v.base, v.len))
            return -EFAULT;
        len += v.len;
    }
    return (int64_t)len;
}

static int64_t send_query(const struct call *call, int32_t descriptor, const struct message *m,
                          uint64_t flags, const struct sockaddr_bytes *server)
{
    uint8_t query[QUERY_MAX];
    int64_t len = gather(m->vectors, m->vector_count, query, sizeof query);
    if (len == -EMSGSIZE) /* longer than any query */
        return outbound_refused(call, REASON_NOT_LISTED, TEXT("dns")) ? -EACCES : -EMSGSIZE;
    if (len < 0)
        return len;
    return resolver_send(call, descriptor, query, (uint32_t)len, flags, server);
}

/* The kind of destination; AF_UNSPEC is delivered as AF_INET (net/ipv4/udp.c). */
static enum sockaddr_kind destination(const struct sockaddr_bytes *address, struct endpoint *to)
{
    enum sockaddr_kind kind = endpoint_from_sockaddr(address->bytes, address->len, to);
    if (kind != SOCKADDR_UNSPEC)
        return kind;
    struct sockaddr_bytes as_inet = *address;
    uint16_t inet = INET;
    copy_bytes(as_inet.bytes, &inet, sizeof inet);
    return endpoint_from_sockaddr(as_inet.bytes, as_inet.len, to);
}

/* May a message go to this address? 0, an errno, or 1: it is a query, to be judged by its name. */
enum { IS_QUERY = 1 };
static int64_t judge_destination(const struct call *call, int32_t descriptor,
                                 const struct sockaddr_bytes *address)
{
    struct endpoint to;
    switch (destination(address, &to)) {
    case SOCKADDR_OTHER: return outbound_refused(call, REASON_FAMILY, TEXT("family")) ? -EACCES : 0;
    case SOCKADDR_INET: {
        if (!carries_names(&to, descriptor))
            return judge_endpoint(call, &to, descriptor);
        int64_t error = is_resolver_address(&to) ? 0 : judge_endpoint(call, &to, descriptor);
        return error ? error : IS_QUERY;
    }
    default: return 0;
    }
}

/* Sends one message whose header is the gate's copy. */
static int64_t send_one(const struct call *call, int32_t descriptor, struct message m, uint64_t flags)
{
    struct sockaddr_bytes address;
    uint8_t control[CONTROL_MAX];
    int64_t refused = m.control_len ? judge_control(call, descriptor, &m, control) : 0;
    if (refused)
        return refused;
    if (!m.name) {
        if (resolver_connected(descriptor, &address))
            return send_query(call, descriptor, &m, flags, &address);
        m.name_len = 0;
        return KERNEL(sendmsg, descriptor, &m, flags);
    }
    if ((int32_t)m.name_len < 0)
        return -EINVAL;
    /* The kernel cuts a long name in a message header, where it refuses one in sendto. */
    int64_t error = copy_address(m.name, m.name_len > SOCKADDR_MAX ? SOCKADDR_MAX : m.name_len, &address);
    if (error)
        return error;
    int64_t judged = judge_destination(call, descriptor, &address);
    if (judged < 0)
        return judged;
    if (judged == IS_QUERY)
        return send_query(call, descriptor, &m, flags, &address);
    m.name = (uint64_t)address.bytes;
    m.name_len = address.len;
    return KERNEL(sendmsg, descriptor, &m, flags);
}

static int64_t send_to(const struct call *call)
{
    const uint64_t *arg = call->arg;
    int32_t descriptor = (int32_t)arg[0];
    struct vector v = {arg[1], arg[2]};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    struct sockaddr_bytes address;
    if (!arg[4]) {
        resolver_connected(descriptor, &address);
        return send_query(call, descriptor, &m, arg[3], &address);
    }
    int64_t error = copy_address(arg[4], (uint32_t)arg[5], &address);
    if (error)
        return error;
    int64_t judged = judge_destination(call, descriptor, &address);
    if (judged < 0)
        return judged;
    if (judged == IS_QUERY)
        return send_query(call, descriptor, &m, arg[3], &address);
    return KERNEL(sendto, descriptor, arg[1], arg[2], arg[3], address.bytes, address.len);
}

/* Like the kernel's own loop: the count that went out, or the first one's error. */
static int64_t send_many(const struct call *call)
{
    uint64_t count = (uint32_t)call->arg[2] > VECTORS_MAX ? VECTORS_MAX : (uint32_t)call->arg[2];
    int64_t done = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct many many;
        uint64_t at = call->arg[1] + i * sizeof many;
        int64_t sent = read_user(&many, at, sizeof many)
                           ? send_one(call, (int32_t)call->arg[0], many.message, (uint32_t)call->arg[3])
                           : -EFAULT;
        uint32_t len = (uint32_t)sent;
        if (!is_error(sent) && !write_user(at + offsetof(struct many, len), &len, sizeof len))
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
    bool judges = sealed.policy.modes[OUTBOUND_CONNECTIVITY] != MODE_ALLOW;
    if (call->nr == __NR_sendto) {
        watch_for_ready(arg[1], arg[2]);
        struct sockaddr_bytes server;
        if (!judges || (!arg[4] && !resolver_connected((int32_t)arg[0], &server)))
            return RUN_IN_PLACE; /* a connected socket: its peer was judged when it connected */
        return answer(call, send_to(call));
    }
    if (call->nr == __NR_sendmmsg)
        return answer(call, send_many(call));
    struct message m;
    if (!read_user(&m, arg[1], sizeof m))
        return answer(call, -EFAULT);
    watch_for_ready_vectors(m.vectors, m.vector_count);
    return judges ? answer(call, send_one(call, (int32_t)arg[0], m, (uint32_t)arg[2])) : RUN_IN_PLACE;
}
