/* The network judges under a hostile caller: pointers to anywhere, headers that lie, and another thread that rewrites
 * everything while it is judged. The kernel is played by this file, and looks at all that reaches it: nothing may go
 * to an address that the policy does not allow, and no question about another name may leave. Input: whether there is
 * a second thread, then one step after another: lay something into memory, hand a message to a socket, make a call. */
#include "engine.h"

#include "../../runtime_layer/native/core/dns.h"
/* Included whole: what it remembers must not pass from one input to the next. */
#include "../../runtime_layer/native/engine/resolver.c"

enum { UNSPEC = 0, UNIX = 1, INET = 2, INET6 = 10, VSOCK = 40, STREAM = 1, DGRAM = 2, RAW = 3 };
enum { STEPS = 64, PEEK = 0x2, CUT = 0x20, HTTPS = 443 };

/* Descriptors from 3 on. */
static const struct {
    int32_t domain, type;
} sockets[] = {{INET, STREAM}, {INET, DGRAM}, {INET6, DGRAM}, {INET6, STREAM}, {UNIX, DGRAM}, {INET, RAW}};
enum { FIRST = 3, SOCKETS = sizeof sockets / sizeof *sockets };

/* Addresses that inputs choose from; `port` in host order. */
static const struct known {
    uint16_t family, port;
    uint8_t bytes[16];
} places[] = {
    {INET, HTTPS, {192, 0, 2, 7}},                                  /* listed */
    {INET, 22, {192, 0, 2, 7}},                                     /* at another port */
    {INET, HTTPS, {203, 0, 113, 9}},                                /* not listed */
    {INET, 53, {203, 0, 113, 53}},                                  /* the resolver */
    {INET, 53, {203, 0, 113, 54}},                                  /* another one */
    {INET, 53, {127, 0, 0, 1}},                                     /* local */
    {INET6, 8443, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},              /* listed */
    {INET6, 53, {[10] = 0xff, [11] = 0xff, 203, 0, 113, 53}},       /* the resolver, mapped */
    {INET6, HTTPS, {[10] = 0xff, [11] = 0xff, 169, 254, 169, 254}}, /* metadata */
    {INET, HTTPS, {198, 51, 100, 1}},                               /* what answers name */
    {UNSPEC, HTTPS, {203, 0, 113, 9}},                              /* delivered as INET */
    {UNSPEC, 53, {203, 0, 113, 53}},
    {VSOCK, HTTPS, {3}},
    {UNIX, 0, {'/', 't', 'm', 'p', '/', 's'}},
};
static const char *const hosts[] = {"ok.example", "a.good.example", "evil.example", "good.example",
                                    "secret.evil.example"};

static const char settings[] = "SHIELD_OUTBOUND_CONNECTIVITY=block\n"
                               "SHIELD_ALLOW_OUTBOUND=ok.example:443,*.good.example,192.0.2.0/24:443,"
                               "[2001:db8::1]:8443\n"
                               "SHIELD_ALLOW_AWS=none\nSHIELD_READ_WRITE_TMP=block\n";

static bool has_peer[SOCKETS];
static struct queued {
    struct sockaddr_bytes from;
    uint8_t bytes[600];
    uint32_t len;
    bool told;
} queue;
static uint8_t told[STEPS * sizeof queue.bytes]; /* all that name servers said */
static uint32_t told_len;

static int32_t socket_of(uint64_t descriptor)
{
    int64_t index = (int64_t)(int32_t)descriptor - FIRST;
    return index >= 0 && index < SOCKETS ? (int32_t)index : -1;
}

static struct sockaddr_bytes sockaddr_of(const struct known *k)
{
    struct sockaddr_bytes s = {.len = k->family == INET6 ? 28 : 16};
    memcpy(s.bytes, &k->family, 2);
    if (k->family == UNIX) {
        memcpy(s.bytes + 2, k->bytes, 8);
        return s;
    }
    s.bytes[2] = (uint8_t)(k->port >> 8);
    s.bytes[3] = (uint8_t)k->port;
    memcpy(s.bytes + (k->family == INET6 ? 8 : 4), k->bytes, k->family == INET6 ? 16 : 12);
    return s;
}

static bool was_told(const struct address *ip)
{
    uint32_t n = ip->family == FAMILY_V4 ? 4 : 16;
    for (uint32_t i = 0; i + n <= told_len; i++)
        if (!memcmp(told + i, ip->bytes, n))
            return true;
    return false;
}

static bool listed(const struct endpoint *to, bool datagram)
{
    static const struct address net = {FAMILY_V4, {192, 0, 2}};
    static const struct address one = {FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    bool sorting = datagram && !to->port;
    if (address_is_loopback(&to->ip))
        return true;
    if (address_within(&to->ip, &net, 24))
        return sorting || to->port == HTTPS;
    if (address_equal(&to->ip, &one))
        return sorting || to->port == 8443;
    return !address_is_internal(&to->ip) && was_told(&to->ip);
}

static bool is_resolver(const struct endpoint *to)
{
    static const uint8_t resolver[16] = {203, 0, 113, 53};
    return to->port == DNS_PORT && to->ip.family == FAMILY_V4 && !memcmp(to->ip.bytes, resolver, 16);
}

static bool name_may_leave(const struct dns_question *q)
{
    struct text name = {q->name, q->name_len};
    return text_equal(name, TEXT("ok.example")) || text_ends(name, TEXT(".good.example")) ||
           text_equal(name, TEXT("name-not-allowed.shielded-function.invalid"));
}

/* What the kernel is asked to send somewhere, or to connect to. */
static void look_at(uint64_t descriptor, uint64_t pointer, uint32_t len, const uint8_t *payload,
                    uint64_t size, bool connects)
{
    int32_t index = socket_of(descriptor);
    bool datagram = index >= 0 && sockets[index].type == DGRAM;
    struct sockaddr_bytes s = {.len = len};
    struct endpoint to;
    CHECK(is_gates(pointer) && len <= SOCKADDR_MAX);
    memcpy(s.bytes, (void *)pointer, len);
    if (len >= 2 && !(s.bytes[0] | s.bytes[1]) && !connects)
        s.bytes[0] = INET;
    switch (endpoint_from_sockaddr(s.bytes, s.len, &to)) {
    case SOCKADDR_OTHER: CHECK(!"another family");
    case SOCKADDR_INET: break;
    default: return;
    }
    if (to.port != DNS_PORT || !datagram) {
        CHECK(listed(&to, datagram));
        CHECK(!is_resolver(&to));
        return;
    }
    CHECK(!connects); /* a datagram socket never gets a name server for its peer */
    CHECK(is_resolver(&to) || listed(&to, true));
    struct dns_question q;
    CHECK(payload && is_gates((uint64_t)payload));
    CHECK(dns_read_query(payload, (uint32_t)size, &q) && name_may_leave(&q));
    CHECK(size <= DNS_QUERY_MAX);
}

static int64_t receive(struct message *m, uint64_t flags)
{
    if (!queue.len)
        return -EAGAIN;
    if (!is_on_stack(m->name) ||
        !is_on_stack(m->vectors)) { /* into the caller's memory: the kernel's business */
        queue.len = 0;
        return 1;
    }
    const struct vector *v = (const struct vector *)m->vectors;
    CHECK(is_on_stack((uint64_t)m) && m->vector_count == 1 && is_gates(v->base));
    uint64_t part = queue.len < v->len ? queue.len : v->len;
    memcpy((void *)v->base, queue.bytes, part);
    memcpy((void *)m->name, queue.from.bytes, queue.from.len < m->name_len ? queue.from.len : m->name_len);
    m->name_len = queue.from.len;
    m->flags = part < queue.len ? CUT : 0;
    uint32_t len = queue.len;
    struct endpoint from;
    if (part > 1 && !queue.told &&
        endpoint_from_sockaddr(queue.from.bytes, queue.from.len, &from) == SOCKADDR_INET &&
        is_resolver(&from)) {
        memcpy(told + told_len, queue.bytes, part);
        told_len += (uint32_t)part;
        queue.told = true; /* a program may look at a message many times */
    }
    if (!(flags & PEEK))
        queue.len = 0;
    return flags & CUT ? len : (int64_t)part;
}

static int64_t socket_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int32_t index = socket_of(a);
    bool unspec = false;
    switch (nr) {
    case __NR_getsockopt:
        if (index < 0)
            return -EBADF;
        CHECK(b == LEVEL_SOCKET && is_gates(d));
        *(int32_t *)d = c == OPTION_TYPE ? sockets[index].type : sockets[index].domain;
        return 0;
    case __NR_getpeername: return index < 0 ? -EBADF : has_peer[index] ? 0 : -ENOTCONN;
    case __NR_connect:
        look_at(a, b, (uint32_t)c, NULL, 0, true);
        unspec = c >= 2 && !*(uint16_t *)b;
        if (index >= 0)
            has_peer[index] = !unspec;
        return index < 0 ? -EBADF : 0;
    case __NR_sendto:
        if (e)
            look_at(a, e, (uint32_t)f, (const uint8_t *)b, c, false);
        return index < 0 ? -EBADF : (int64_t)c;
    case __NR_sendmsg: {
        struct message *m = (struct message *)b;
        CHECK(is_gates(b));
        if (m->name) /* only queries are looked into, and those come by sendto */
            look_at(a, m->name, m->name_len, NULL, 0, false);
        return index < 0 ? -EBADF : 1;
    }
    case __NR_recvmsg: return index < 0 ? -EBADF : receive((struct message *)b, d ? d : c);
    case __NR_bind: CHECK(is_gates(b) && c <= SOCKADDR_MAX); return 0;
    }
    CHECK(!"a call that no network judge makes");
    return 0;
}

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t result;
    let_rival_write(nr, b);
    if (common_call(nr, a, b, c, d, &result))
        return result;
    switch (nr) {
    case __NR_openat: return -ENOENT;
    case __NR_close:
    case __NR_fstat:
    case __NR_munmap: return 0;
    case __NR_mmap: return -ENOMEM;
    case __NR_readlinkat: return -ENOENT;
    }
    return socket_call(nr, a, b, c, d, e, f);
}

static uint32_t make_query(struct input *in, uint8_t out[300])
{
    struct text name = text_of(hosts[take_number(in, 1) % (sizeof hosts / sizeof *hosts)]), label;
    uint8_t type = (uint8_t)take_number(in, 1), edns = (uint8_t)take_number(in, 1) & 1;
    uint8_t head[12] = {0, (uint8_t)take_number(in, 1), 1, 0, 0, 1, 0, 0, 0, 0, 0, edns};
    uint32_t at = sizeof head;
    memcpy(out, head, sizeof head);
    while (text_next(&name, '.', &label)) {
        out[at++] = (uint8_t)label.len;
        memcpy(out + at, label.at, label.len);
        at += label.len;
    }
    const uint8_t tail[] = {0, 0, type, 0, 1};
    memcpy(out + at, tail, sizeof tail);
    return at + sizeof tail;
}

static void lay(struct input *in)
{
    uint64_t kind = take_number(in, 1), at = take_pointer(in);
    uint8_t query[300];
    switch (kind % 6) {
    case 0: {
        struct text t = take_text(in, take_number(in, 1));
        arena_put(at, t.at, t.len);
        break;
    }
    case 1: {
        struct sockaddr_bytes s = sockaddr_of(&places[take_number(in, 1) % (sizeof places / sizeof *places)]);
        arena_put(at, s.bytes, s.len);
        break;
    }
    case 2: {
        struct many m = {.message = {.name = take_pointer(in), .name_len = (uint32_t)take_length(in)}};
        m.message.vectors = take_pointer(in);
        m.message.vector_count = take_length(in);
        m.message.control = take_pointer(in);
        arena_put(at, &m, take_number(in, 1) % 2 ? sizeof m : sizeof m.message);
        break;
    }
    case 3: {
        struct vector v = {take_pointer(in), take_length(in)};
        arena_put(at, &v, sizeof v);
        break;
    }
    case 4: arena_put(at, query, make_query(in, query)); break;
    default: arena_put(at, "GET /2018-06-01/runtime/invocation/next HTTP/1.1", 48);
    }
}

/* An answer to a query that may have been sent, with one address in it; or any bytes. */
static void hand_over(struct input *in)
{
    queue.told = false;
    queue.from = sockaddr_of(&places[take_number(in, 1) % (sizeof places / sizeof *places)]);
    if (take_number(in, 1) % 2) {
        struct text t = take_text(in, take_number(in, 2) % sizeof queue.bytes);
        memcpy(queue.bytes, t.at, t.len);
        queue.len = t.len;
        return;
    }
    const uint8_t record[] = {0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 198, 51, 100, 1};
    queue.len = make_query(in, queue.bytes);
    queue.bytes[2] |= 0x80;
    queue.bytes[7] = 1; /* one answer, in front of whatever the query says of others */
    memcpy(queue.bytes + queue.len, record, sizeof record);
    queue.len += sizeof record;
}

static void call_one(struct input *in)
{
    static const struct {
        int16_t nr;
        enum outcome (*judge)(struct call *);
    } calls[] = {{__NR_connect, judge_connect},
                 {__NR_sendto, judge_send},
                 {__NR_sendmsg, judge_send},
                 {__NR_sendmmsg, judge_send},
                 {__NR_recvfrom, judge_receive},
                 {__NR_recvmsg, judge_receive},
                 {__NR_recvmmsg, judge_receive},
                 {__NR_getpeername, judge_peer_name},
                 {__NR_bind, judge_bind},
                 {__NR_socket, judge_socket},
                 {__NR_setsockopt, judge_socket_option}};
    uint64_t which = take_number(in, 1) % (sizeof calls / sizeof *calls);
    struct call call = {.nr = calls[which].nr, .site = (uint64_t)arena, .stack = take_pointer(in)};
    call.arg[0] = FIRST + take_number(in, 1) % (SOCKETS + 1);
    call.arg[1] = take_pointer(in);
    call.arg[2] = take_length(in);
    call.arg[3] = take_number(in, 1);
    call.arg[4] = take_pointer(in);
    /* recvfrom's last argument is a pointer, sendto's a length. */
    call.arg[5] = call.nr == __NR_recvfrom ? take_pointer(in) : take_length(in);
    if (call.nr == __NR_sendmsg || call.nr == __NR_recvmsg)
        call.arg[2] = call.arg[3];
    struct call before = call;
    enum outcome outcome = calls[which].judge(&call);
    CHECK(!held);
    if (outcome == ANSWERED)
        return;
    CHECK(!memcmp(&before, &call, sizeof call));
    CHECK(call.nr != __NR_connect && call.nr != __NR_sendmsg && call.nr != __NR_sendmmsg);
    CHECK(call.nr != __NR_sendto || !call.arg[4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    memset(&learnt, 0, sizeof learnt);
    memset(has_peer, 0, sizeof has_peer);
    queue.len = told_len = 0;
    engine_begin(settings);
    sealed.resolver_count = 1;
    sealed.resolvers[0] = (struct endpoint){{FAMILY_V4, {203, 0, 113, 53}}, DNS_PORT};
    memset(watched, 0, FIRST + SOCKETS + 1);
    memset(asked, 0, sizeof asked);
    memset(denied, 0, sizeof denied);
    server_count = asked_next = denied_next = 0;
    rival = (uint32_t)take_number(&in, 1);
    for (uint32_t steps = 0; in.left && steps < STEPS; steps++)
        switch (take_number(&in, 1) % 4) {
        case 0: lay(&in); break;
        case 1: hand_over(&in); break;
        default: call_one(&in);
        }
    return 0;
}
