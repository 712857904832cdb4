/* A network whose other ends look at all that reaches them: nothing may go to an address that the policy does not allow, no
 * question about another name may leave, and no connection to an address that was allowed by name may begin with another
 * name. */
#ifndef FUZZ_WATCHED_NETWORK_H
#define FUZZ_WATCHED_NETWORK_H

#include "engine.h"
#include "forget.h"
#include "hello.h"

#include "../../../runtime_layer/native/core/dns.h"
#include "../../../runtime_layer/native/core/tls.h"
#include "../../../runtime_layer/native/engine/fds/fd_marks.h"
/* Included whole: what it remembers must not pass from one input to the next. */
#include "../../../runtime_layer/native/engine/network/dns_udp_peer.c"
#include "../../../runtime_layer/native/engine/network/dns_query.c"

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
enum { LEVEL_SOCKET = 1, LEVEL_IP = 0, LEVEL_IPV6 = 41, OPTION_MTU = 14, OPTION_MTU6 = 24 };
enum {
    OPTION_TYPE = 3,
    OPTION_LINGER = 13,
    OPTION_RECEIVE_TIMEOUT = 20,
    OPTION_PROTOCOL = 38,
    OPTION_DOMAIN = 39,
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
    bool connected, connecting, untold, by_name, shut, non_blocking, locked;
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
static struct told_address {
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
    told[told_count++] = (struct told_address){*ip, *(bool *)context};
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
    CHECK((is_gates(pointer) || !len) && len <= SOCKADDR_MAX); /* of no length, the kernel reads none */
    if (!blocks || (f && f->domain == UNIX)) /* which has no use for another family's addresses */
        return;
    if (len)
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
    hello_seen(f->out + at, f->out_len - at, &server);
    CHECK(server.seen != SEEN_WHOLE || server.encrypted || is_server_name_allowed(server.name));
}

#endif
