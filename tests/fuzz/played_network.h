/* The kernel's side of the network, as network.c's judges meet it: sockets, connections, one message that waits, and what
 * the other end receives. It looks at all that reaches it: nothing may go to an address that the policy does not allow,
 * no question about another name may leave, no connection to an address that was allowed by name may begin with another
 * name, and none whose beginning is to be seen is under a number that somebody writes to unseen. */
#ifndef FUZZ_PLAYED_NETWORK_H
#define FUZZ_PLAYED_NETWORK_H

#include <asm/ioctls.h>

#include "engine.h"
#include "forget.h"
#include "hello.h"

#include "../../runtime_layer/native/core/dns.h"
#include "../../runtime_layer/native/core/tls.h"
#include "../../runtime_layer/native/engine/written.h"
/* Included whole: what it remembers must not pass from one input to the next. */
#include "../../runtime_layer/native/engine/name_servers.c"
#include "../../runtime_layer/native/engine/resolver.c"

enum {
    UNSPEC = 0,
    UNIX = 1,
    INET = 2,
    INET6 = 10,
    VSOCK = 40,
    STREAM = 1,
    DGRAM = 2,
    RAW = 3,
    TCP = 6,
    UDP = 17
};
enum { LEVEL_IP = 0, LEVEL_IPV6 = 41, OPTION_MTU = 14, OPTION_MTU6 = 24 };
enum {
    OPTION_TYPE = 3,
    OPTION_LINGER = 13,
    OPTION_RECEIVE_TIMEOUT = 20,
    OPTION_DOMAIN = 39,
    OPTION_BEGUN = 43,
    OPTION_LOCK = 44,
    OPTION_COOKIE = 57
};
enum { STEPS = 64, OOB = 0x1, PEEK = 0x2, CUT = 0x20, HTTPS = 443, MOST_VECTORS = 1024, ATTEMPT = 4096 };

/* What the descriptors from FIRST on stand for at first. */
static const struct {
    int32_t domain, type;
} sockets[] = {{INET, STREAM}, {INET, DGRAM}, {INET6, DGRAM}, {INET6, STREAM}, {UNIX, DGRAM}, {INET, RAW}};
enum { FIRST = 3, SOCKETS = sizeof sockets / sizeof *sockets, DESCRIPTORS = 12 /* that inputs name */ };
enum { TABLE = 128, LOG = 99, GATES = 100 /* the gate's own are above */, FILES = TABLE };

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
    {INET, 53, {198, 51, 100, 1}}, /* what answers name, as a name server */
    {INET, 22, {198, 51, 100, 1}},
};
static const char *const hosts[] = {"ok.example",   "a.good.example",      "evil.example",
                                    "good.example", "secret.evil.example", "odd byte.good.example"};
enum { PLACES = sizeof places / sizeof *places, HOSTS = sizeof hosts / sizeof *hosts };

/* In alert mode nothing is stopped, but all is looked at. */
static bool blocks;
#define SETTINGS(mode)                                                                                       \
    "SHIELD_OUTBOUND_CONNECTIVITY=" mode                                                                     \
    "\nSHIELD_ALLOW_OUTBOUND=ok.example:443,*.good.example,192.0.2.0/24:443,[2001:db8::1]:8443\n"            \
    "SHIELD_ALLOW_AWS=none\nSHIELD_READ_WRITE_TMP=block\n"

/* What a message queue or a connection is to the kernel. `out`: what the other end receives, in order. */
static struct file {
    int32_t domain, type;
    uint32_t users;
    uint64_t cookie;
    bool connected, connecting, untold, by_name, shut, non_blocking, locked, begun, answered;
    struct sockaddr_bytes peer;
    struct endpoint to;
    uint64_t taken; /* of what the other end sent */
    uint8_t out[ATTEMPT], answers[ATTEMPT];
    uint32_t out_len, out_judged, answers_len, answers_read;
} files[FILES];
static struct file *open_files[TABLE];
static uint64_t cookies, seconds;

static struct queued {
    struct sockaddr_bytes from;
    uint8_t bytes[600];
    uint32_t len;
    bool told;
} queue;

/* All addresses that the resolver gave for names that are allowed. */
static struct told {
    struct address ip;
    bool https_only;
} told[4096];
static uint32_t told_count;

/* How the kernel feels: what the next write takes (0: all), whether it takes nothing yet, whether the next connection
 * takes a while. */
static struct {
    uint32_t takes;
    bool again, slow;
} mood;

/* Another thread is in a write to these numbers, which had no mark when it began. */
static bool unseen_writers[TABLE];

static struct file *file_of(uint64_t descriptor)
{
    return (uint32_t)descriptor < TABLE ? open_files[(uint32_t)descriptor] : NULL;
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

static bool is_resolver(const struct endpoint *to)
{
    static const uint8_t resolver[16] = {203, 0, 113, 53};
    return to->port == DNS_PORT && to->ip.family == FAMILY_V4 && !memcmp(to->ip.bytes, resolver, 16);
}

/* Bytes that no host name has are no part of one that a star stands for. */
static bool is_name_allowed(struct text name)
{
    static const char in_names[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    for (uint32_t i = 0; i < name.len; i++)
        if (!memchr(in_names, name.at[i], sizeof in_names - 1))
            return false;
    return text_equal(name, TEXT("ok.example")) || text_ends(name, TEXT(".good.example"));
}

static bool name_may_leave(const struct dns_question *q)
{
    struct text name = {q->name, q->name_len};
    return is_name_allowed(name) || text_equal(name, TEXT("name-not-allowed.shielded-function.invalid"));
}

/* As a client writes it: any case, and a dot at its end. */
static bool is_server_name_allowed(struct text name)
{
    char lower[256];
    if (name.len && name.at[name.len - 1] == '.')
        name.len--;
    if (name.len > sizeof lower)
        return false;
    for (uint32_t i = 0; i < name.len; i++)
        lower[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] + 32) : name.at[i];
    return is_name_allowed((struct text){lower, name.len});
}

static void keep_told(void *context, const struct address *ip)
{
    CHECK(told_count < sizeof told / sizeof *told);
    told[told_count++] = (struct told){*ip, *(bool *)context};
}

static void tell(const uint8_t *message, uint32_t len)
{
    struct dns_question q;
    if (!dns_read_question(message, len, &q) || !is_name_allowed((struct text){q.name, q.name_len}))
        return;
    bool https_only = text_equal((struct text){q.name, q.name_len}, TEXT("ok.example"));
    dns_read_answer(message, len, &q, keep_told, &https_only);
}

static bool was_told(const struct endpoint *to, bool any_port)
{
    for (uint32_t i = 0; i < told_count; i++)
        if (address_equal(&told[i].ip, &to->ip) && (any_port || !told[i].https_only || to->port == HTTPS))
            return true;
    return false;
}

static bool is_listed_address(const struct endpoint *to, bool sorting)
{
    static const struct address net = {FAMILY_V4, {192, 0, 2}};
    static const struct address one = {FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    if (address_is_loopback(&to->ip))
        return true;
    return (address_within(&to->ip, &net, 24) && (sorting || to->port == HTTPS)) ||
           (address_equal(&to->ip, &one) && (sorting || to->port == 8443));
}

static bool is_listed(const struct endpoint *to, bool datagram)
{
    bool sorting = datagram && !to->port;
    return is_listed_address(to, sorting) || (!address_is_internal(&to->ip) && was_told(to, sorting));
}

/* What the kernel is asked to send somewhere, or to connect to. */
static void look_at(uint64_t descriptor, uint64_t pointer, uint32_t len, const uint8_t *payload,
                    uint64_t size, bool connects)
{
    const struct file *f = file_of(descriptor);
    bool datagram = f && f->type == DGRAM, stream = f && f->type == STREAM;
    struct sockaddr_bytes s = {.len = len};
    struct endpoint to;
    CHECK(is_gates(pointer) && len <= SOCKADDR_MAX);
    if (!blocks || (f && f->domain == UNIX)) /* which has no use for another family's addresses */
        return;
    memcpy(s.bytes, (void *)pointer, len);
    if (len >= 2 && !(s.bytes[0] | s.bytes[1]) && !connects)
        s.bytes[0] = INET;
    switch (endpoint_from_sockaddr(s.bytes, s.len, &to)) {
    case SOCKADDR_OTHER: CHECK(!"another family");
    case SOCKADDR_INET: break;
    default: return;
    }
    if (to.port != DNS_PORT || !datagram) {
        bool asks = connects && stream && is_resolver(&to);
        CHECK(is_listed(&to, datagram) || asks);
        return;
    }
    CHECK(!connects); /* a datagram socket never gets a name server for its peer */
    CHECK(is_resolver(&to) || is_listed(&to, true));
    struct dns_question q;
    CHECK(payload && is_gates((uint64_t)payload));
    CHECK(!size || (dns_read_query(payload, (uint32_t)size, &q) && name_may_leave(&q)));
    CHECK(size <= DNS_QUERY_MAX);
}

/* Of a connection to a name server: whole queries. After a short write nothing more can come. */
static void only_queries_left(struct file *f)
{
    while (f->out_len - f->out_judged > 2) {
        const uint8_t *at = f->out + f->out_judged;
        uint32_t len = (uint32_t)(at[0] << 8 | at[1]);
        struct dns_question q;
        if (len > f->out_len - f->out_judged - 2)
            break;
        CHECK(dns_read_query(at + 2, len, &q) && is_name_allowed((struct text){q.name, q.name_len}));
        CHECK(len <= DNS_QUERY_MAX);
        f->out_judged += 2 + len;
    }
}

static void no_other_name_left(const struct file *f)
{
    static const uint8_t questions[][8] = {{0, 0, 0, 8, 4, 210, 22, 47}, {0, 0, 0, 8, 4, 210, 22, 48}};
    static struct seen_hello server;
    uint32_t at = 0;
    for (uint32_t i = 0; i < 2; i++)
        while (f->out_len - at >= 8 && !memcmp(f->out + at, questions[i], 8))
            at += 8;
    /* A second one is taken after a HelloRetryRequest (RFC 8446, 4.1.4). */
    for (uint32_t hellos = 0; hellos < 2; hellos++) {
        hello_seen(f->out + at, f->out_len - at, hellos, &server);
        if (server.seen != SEEN_WHOLE)
            return;
        CHECK(server.encrypted || is_server_name_allowed(server.name));
        at += (uint32_t)server.end;
        /* Only where the server asks for it: not when it answered. */
        if (f->answered)
            return;
    }
}

/* Nothing but these: other addresses are random bytes. */
static bool is_gates_buffer(uint64_t pointer)
{
    return is_on_stack(pointer) || is_scratch(pointer);
}

/* As the kernel copies it, from the gate's memory or from the caller's. */
static bool copy_in(void *to, uint64_t from, uint64_t n)
{
    if (!arena_allows(from, n, false) && !is_gates_buffer(from))
        return false;
    memcpy(to, (void *)from, n);
    return true;
}

static int64_t gather_for_kernel(uint64_t vectors, uint64_t count, uint8_t *out, uint32_t cap)
{
    uint32_t used = 0;
    if (count > MOST_VECTORS)
        return -EMSGSIZE;
    for (uint64_t i = 0; i < count && used < cap; i++) {
        struct vector v;
        if (!copy_in(&v, vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        uint64_t n = v.len < cap - used ? v.len : cap - used;
        if (n && !copy_in(out + used, v.base, n))
            return used ? (int64_t)used : -EFAULT;
        used += (uint32_t)n;
    }
    return used;
}

static int64_t finish_connecting(struct file *f, uint64_t flags)
{
    enum { NO_WAIT = 0x40 };
    if (!f->connecting)
        return 0;
    bool waits = !(flags & NO_WAIT) && !f->non_blocking;
    f->connecting = waits ? false : mood.again;
    mood.again = false;
    return f->connecting ? -EAGAIN : 0;
}

static int64_t write_to_stream(struct file *f, uint64_t vectors, uint64_t count, uint64_t flags)
{
    static uint8_t bytes[4 * PAGE];
    int64_t error = finish_connecting(f, flags);
    if (error || !f->connected || f->shut)
        return error ? error : -EPIPE;
    int64_t n = gather_for_kernel(vectors, count, bytes, sizeof bytes);
    if (n <= 0)
        return n;
    if (mood.again) {
        mood.again = false;
        return -EAGAIN;
    }
    n = mood.takes && mood.takes < n ? mood.takes : n;
    mood.takes = 0;
    /* The last byte of what is urgent is not among those that are read in order (tcp(7)). */
    uint32_t kept = (uint32_t)n - (flags & OOB ? 1 : 0);
    kept = kept < sizeof f->out - f->out_len ? kept : (uint32_t)sizeof f->out - f->out_len;
    memcpy(f->out + f->out_len, bytes, kept);
    f->out_len += kept;
    if (blocks && f->to.port == DNS_PORT)
        only_queries_left(f);
    else if (blocks && f->by_name)
        no_other_name_left(f);
    return n;
}

/* What is to be looked at is under no number that somebody writes to unseen. */
static void is_under_no_such_number(const struct file *f)
{
    bool is_to_be_seen = f->type == STREAM && f->connected && (f->by_name || f->to.port == DNS_PORT);
    for (uint32_t i = 0; i < TABLE && blocks && is_to_be_seen && !f->locked; i++)
        CHECK(open_files[i] != f || !unseen_writers[i]);
}

static int64_t connect_to(struct file *f, uint64_t pointer, uint32_t len)
{
    struct sockaddr_bytes s = {.len = len};
    struct endpoint to;
    memcpy(s.bytes, (void *)pointer, len);
    enum sockaddr_kind kind = endpoint_from_sockaddr(s.bytes, s.len, &to);
    if (kind == SOCKADDR_UNSPEC) {
        f->connected = f->connecting = f->shut = false;
        f->out_len = f->out_judged = 0;
        return 0;
    }
    if (kind != SOCKADDR_INET || f->domain == UNIX)
        return -EINVAL;
    if (f->type == STREAM && f->connected) {
        /* Of a connection that was made meanwhile, the next connect tells how it ended, whatever it asks for. */
        int64_t result = f->connecting ? -EALREADY : f->untold ? 0 : -EISCONN;
        f->untold &= f->connecting;
        return result;
    }
    f->connected = true;
    f->by_name = !is_listed_address(&to, false);
    f->peer = s;
    f->to = to;
    is_under_no_such_number(f);
    f->connecting = f->untold = f->type == STREAM && mood.slow;
    mood.slow = false;
    return f->connecting ? -EINPROGRESS : 0;
}

static int64_t peer_name(const struct file *f, uint8_t *out, uint32_t *len)
{
    if (!f->connected || f->connecting)
        return -ENOTCONN;
    CHECK(is_gates((uint64_t)out) && is_gates((uint64_t)len));
    memcpy(out, f->peer.bytes, f->peer.len < *len ? f->peer.len : *len);
    *len = f->peer.len;
    return 0;
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
        tell(queue.bytes, (uint32_t)part);
        queue.told = true; /* a program may look at a message many times */
    }
    if (!(flags & PEEK))
        queue.len = 0;
    return flags & CUT ? len : (int64_t)part;
}

/* The other end's bytes, whoever reads them: each answer among them counts once it is whole. */
static void leave_queue(struct file *f, uint32_t n)
{
    uint32_t kept = n < sizeof f->answers - f->answers_len ? n : (uint32_t)sizeof f->answers - f->answers_len;
    memcpy(f->answers + f->answers_len, queue.bytes, kept);
    f->answers_len += kept;
    f->taken += n;
    queue.len -= n;
    memmove(queue.bytes, queue.bytes + n, queue.len);
    while (f->answers_len - f->answers_read > 2) {
        const uint8_t *at = f->answers + f->answers_read;
        uint32_t len = (uint32_t)(at[0] << 8 | at[1]);
        if (len > f->answers_len - f->answers_read - 2)
            return;
        if (is_resolver(&f->to))
            tell(at + 2, len);
        f->answers_read += 2 + len;
    }
}

static int64_t read_from_stream(struct file *f, const struct message *m, uint64_t flags)
{
    struct vector v;
    if (!f->connected || f->connecting)
        return -ENOTCONN;
    if (flags & OOB)
        return -EINVAL;
    if (!queue.len || !m->vector_count)
        return queue.len ? 0 : -EAGAIN;
    if (!copy_in(&v, m->vectors, sizeof v))
        return -EFAULT;
    uint32_t n = queue.len < v.len ? queue.len : (uint32_t)v.len;
    if (mood.takes && mood.takes < n)
        n = mood.takes;
    if (n && !(flags & CUT) && is_gates_buffer(v.base)) /* cut: thrown away (tcp(7)) */
        memcpy((void *)v.base, queue.bytes, n);
    if (!(flags & PEEK))
        leave_queue(f, n);
    return n;
}

/* The gate looks at what came first: see no_other_name_left. */
static int64_t show_answer(struct file *f, uint64_t at, uint64_t cap, uint64_t flags)
{
    struct vector v = {at, cap};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    CHECK(flags & PEEK);
    int64_t n = read_from_stream(f, &m, flags);
    f->answered |= n > 0 && !f->taken && tls_is_answered((const uint8_t *)at, (uint32_t)n);
    return n;
}

static int64_t lowest_descriptor(uint64_t least)
{
    for (uint64_t n = least < FIRST ? FIRST : least; n < TABLE; n++)
        if (!open_files[n])
            return (int64_t)n;
    return -EMFILE;
}

static void let_go_of(uint64_t descriptor)
{
    struct file *f = file_of(descriptor);
    if (f && !--f->users)
        f->type = 0;
    if (f)
        open_files[(uint32_t)descriptor] = NULL;
}

static int64_t copy_to(struct file *f, int64_t descriptor)
{
    if (descriptor < 0)
        return descriptor;
    if (descriptor < FIRST || descriptor >= TABLE)
        return -EBADF;
    f->users++;
    let_go_of((uint64_t)descriptor);
    open_files[descriptor] = f;
    is_under_no_such_number(f);
    return descriptor;
}

static int64_t open_socket(int32_t domain, int32_t type)
{
    int64_t descriptor = lowest_descriptor(0);
    if (descriptor >= FIRST + DESCRIPTORS)
        return -EMFILE;
    struct file *f = files;
    while (f->users)
        f++;
    memset(f, 0, offsetof(struct file, out));
    f->out_len = f->out_judged = f->answers_len = f->answers_read = 0;
    f->cookie = ++cookies;
    f->domain = domain;
    f->type = type;
    return copy_to(f, descriptor);
}

static int64_t descriptor_call(int64_t nr, struct file *f, uint64_t a, uint64_t b, uint64_t c)
{
    switch (nr) {
    case __NR_close: let_go_of(a); return f ? 0 : -EBADF;
    case __NR_dup: return f ? copy_to(f, lowest_descriptor(0)) : -EBADF;
    case __NR_dup3:
        if ((uint32_t)a == (uint32_t)b || (c & ~(uint64_t)O_CLOEXEC))
            return -EINVAL;
        return f ? copy_to(f, (int32_t)b) : -EBADF;
    }
    CHECK(nr == __NR_fcntl);
    if (b == F_GETFD && a < FIRST)
        return 0;
    if (!f)
        return -EBADF;
    if (b == F_DUPFD || b == F_DUPFD_CLOEXEC)
        return copy_to(f, lowest_descriptor((uint32_t)c));
    return b == F_GETFL && f->non_blocking ? O_NONBLOCK : 0;
}

static int64_t option_of(const struct file *f, uint64_t option, void *out)
{
    bool is_internet = f->domain == INET || f->domain == INET6;
    switch (option) {
    case OPTION_TYPE: *(int32_t *)out = f->type; return 0;
    case OPTION_DOMAIN: *(int32_t *)out = f->domain; return 0;
    case OPTION_PROTOCOL:
        *(int32_t *)out = !is_internet ? 0 : f->type == STREAM ? TCP : f->type == DGRAM ? UDP : 0;
        return 0;
    case OPTION_BEGUN: *(int32_t *)out = f->begun; return 0;
    case OPTION_LOCK: *(int32_t *)out = f->locked; return 0;
    case OPTION_LINGER: memcpy(out, (int32_t[2]){f->cookie % 2, 1}, 2 * sizeof(int32_t)); return 0;
    case OPTION_RECEIVE_TIMEOUT:
        memcpy(out, (int64_t[2]){f->cookie % 3 ? 0 : 2, 0}, 2 * sizeof(int64_t));
        return 0;
    case OPTION_COOKIE: memcpy(out, &f->cookie, sizeof f->cookie); return 0;
    }
    *(int32_t *)out = 0; /* not set, no limit */
    return 0;
}

static void in_place(const struct call *call);

static int64_t socket_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct file *file = file_of(a);
    bool stream = file && file->type == STREAM;
    switch (nr) {
    case __NR_getsockopt:
        if (!file)
            return -EBADF;
        CHECK(is_gates(d) && is_gates(e));
        if (b == TCP && c == TCP_INFO) { /* nothing was sent */
            struct tcp_info info = {.tcpi_state = file->connected ? 1 /* TCP_ESTABLISHED */ : IS_CLOSED,
                                    .tcpi_bytes_received = file->taken + queue.len};
            memcpy((void *)d, &info, *(uint32_t *)e < sizeof info ? *(uint32_t *)e : sizeof info);
            return 0;
        }
        if ((b == LEVEL_IP && c == OPTION_MTU) || (b == LEVEL_IPV6 && c == OPTION_MTU6))
            return file->connected ? 0 : -ENOTCONN;
        CHECK(b == LEVEL_SOCKET);
        return option_of(file, c, (void *)d);
    case __NR_ioctl:
        CHECK(b == FIONREAD && is_gates(c));
        *(int32_t *)c = (int32_t)queue.len;
        return file ? 0 : -EBADF;
    case __NR_setsockopt:
        CHECK(b == LEVEL_SOCKET && (c == OPTION_LOCK || c == OPTION_BEGUN) && is_gates(d) && *(int32_t *)d);
        if (file)
            *(c == OPTION_LOCK ? &file->locked : &file->begun) = true;
        return file ? 0 : -EBADF;
    case __NR_listen: return file ? 0 : -EBADF;
    case __NR_getpeername: return file ? peer_name(file, (uint8_t *)b, (uint32_t *)c) : -EBADF;
    case __NR_connect:
        look_at(a, b, (uint32_t)c, NULL, 0, true);
        return file ? connect_to(file, b, (uint32_t)c) : -EBADF;
    case __NR_sendto: {
        struct vector v = {b, c};
        if (e)
            look_at(a, e, (uint32_t)f, (const uint8_t *)b, c, false);
        return !file ? -EBADF : stream ? write_to_stream(file, (uint64_t)&v, 1, d) : (int64_t)c;
    }
    case __NR_sendmsg: {
        struct message *m = (struct message *)b;
        CHECK(is_gates(b));
        if (m->name) /* only queries are looked into, and those come by sendto */
            look_at(a, m->name, m->name_len, NULL, 0, false);
        return !file ? -EBADF : stream ? write_to_stream(file, m->vectors, m->vector_count, c) : 1;
    }
    case __NR_sendmmsg: { /* queries, of the gate's own */
        const struct many *many = (const struct many *)b;
        CHECK(is_gates(b) && !stream);
        for (uint64_t i = 0; i < c; i++) {
            const struct message *m = &many[i].message;
            const struct vector *v = (const struct vector *)m->vectors;
            CHECK(is_on_stack(m->vectors) && m->vector_count == 1 && m->name && !m->control_len);
            look_at(a, m->name, m->name_len, (const uint8_t *)v->base, v->len, false);
        }
        return file ? (int64_t)c : -EBADF;
    }
    case __NR_recvmsg: {
        struct message *m = (struct message *)b;
        if (!is_on_stack(b)) /* what is not looked at */
            return stream ? -EFAULT : 0;
        return !file ? -EBADF : stream ? read_from_stream(file, m, d ? d : c) : receive(m, d ? d : c);
    }
    case __NR_shutdown:
        if (file)
            file->shut = true;
        return file ? 0 : -EBADF;
    case __NR_ppoll: CHECK(is_gates(a)); return 1;
    case __NR_nanosleep: return 0;
    case __NR_clock_gettime:
        CHECK(is_gates(b));
        ((int64_t *)b)[0] = ++seconds;
        return 0;
    case __NR_statx:
        CHECK(is_gates(e));
        ((struct statx *)e)->stx_mode = S_IFSOCK;
        return file ? 0 : -EBADF;
    case __NR_recvfrom:
        if (stream && is_gates_buffer(b))
            return show_answer(file, b, c, d);
        if (is_gates_buffer(b) && !e) { /* thrown away */
            queue.len = 0;
            return 1;
        }
        /* fall through */
    case __NR_read:
    case __NR_readv:
    case __NR_recvmmsg:
    case __NR_write:
    case __NR_writev:
    case __NR_pwritev2:
    case __NR_sendfile:
    case __NR_splice: /* as the program asked, by a descriptor of the gate's own */
        in_place(&(struct call){.nr = nr, .arg = {a, b, c, d, e, f}});
        return 0;
    case __NR_socket: return open_socket((int32_t)a, (int32_t)b & 0xf);
    case __NR_bind: CHECK(is_gates(b) && c <= SOCKADDR_MAX); return 0;
    case __NR_close:
    case __NR_dup:
    case __NR_dup3:
    case __NR_fcntl: return descriptor_call(nr, file, a, b, c);
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
    case __NR_fstat:
    case __NR_munmap: return 0;
    case __NR_mmap: return -ENOMEM;
    case __NR_readlinkat: return -ENOENT;
    }
    return socket_call(nr, a, b, c, d, e, f);
}

/* The caller's own instruction makes the call. */
static void in_place(const struct call *call)
{
    const uint64_t *arg = call->arg;
    bool spliced = call->nr == __NR_splice;
    struct file *f = file_of(spliced ? arg[2] : arg[0]);
    struct vector v = {arg[1], arg[2]};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    switch (call->nr) {
    case __NR_readv:
    case __NR_writev:
    case __NR_pwritev2:
        m.vectors = arg[1];
        m.vector_count = arg[2];
        break;
    case __NR_socket:
        if (arg[0] == INET || arg[0] == INET6 || arg[0] == UNIX)
            open_socket((int32_t)arg[0], (int32_t)arg[1] & 0xf);
        return;
    case __NR_close:
    case __NR_dup:
    case __NR_dup3:
    case __NR_fcntl: descriptor_call(call->nr, f, arg[0], arg[1], arg[2]); return;
    }
    if (!f || f->type != STREAM)
        return;
    switch (call->nr) {
    case __NR_read:
    case __NR_readv: read_from_stream(f, &m, 0); break;
    case __NR_recvfrom: read_from_stream(f, &m, arg[3]); break;
    case __NR_write:
    case __NR_writev:
    case __NR_pwritev2:
    case __NR_sendfile:
    case __NR_splice: write_to_stream(f, m.vectors, m.vector_count, 0); break;
    case __NR_sendto: write_to_stream(f, m.vectors, m.vector_count, arg[3]); break;
    }
}

#endif
