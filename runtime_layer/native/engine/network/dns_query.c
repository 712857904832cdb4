/* Tests: tests/integration/engine/test_queries.py. */
#include "dns_query.h"

#include "../base/user_memory.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"
#include "network.h"

enum { DENIED = 64 };

/* Admitted questions, so that addresses are learned from their answers only: buckets of hashes, the newest first. Two threads
 * that write to a bucket at once may lose one; the program then asks again. */
enum { ASKED = 8192, ALIKE = 8 };
static uint32_t asked[ASKED][ALIKE];

/* Denied questions, which are restored in the answer. `sequence` is odd during a write. */
struct denied {
    uint32_t sequence;
    struct dns_question question;
};
static struct denied denied[DENIED];
static uint32_t denied_next;

static uint32_t question_tag(const struct dns_question *q)
{
    uint32_t hash = 2166136261u ^ q->id;
    for (uint32_t i = 0; i < q->name_len; i++)
        hash = (hash ^ (uint8_t)q->name[i]) * 16777619u;
    return ((hash ^ q->type) * 16777619u) | 1;
}

/* Removes the mark of a number that is another file's now. */
bool is_dns_socket(struct socket_facts *socket)
{
    if (!has_udp_dns_mark(socket->descriptor))
        return false;
    if ((are_marks_exact() && !has_tcp_mark(socket->descriptor)) || is_internet_datagram(socket))
        return true;
    unmark_udp_dns(socket->descriptor);
    return false;
}

static uint32_t *place_of(uint32_t tag)
{
    return asked[(tag * 2654435769u >> 16) % ASKED];
}

void record_asked(const struct dns_question *q)
{
    uint32_t tag = question_tag(q), moved = tag, i = 0;
    uint32_t *place = place_of(tag);
    do
        moved = __atomic_exchange_n(&place[i++], moved, __ATOMIC_RELAXED);
    while (i < ALIKE && moved && moved != tag);
}

static bool was_asked(const struct dns_question *q)
{
    uint32_t tag = question_tag(q);
    const uint32_t *place = place_of(tag);
    for (uint32_t i = 0; i < ALIKE; i++)
        if (__atomic_load_n(&place[i], __ATOMIC_RELAXED) == tag)
            return true;
    return false;
}

/* False: another thread is writing there. */
static bool put_question(struct denied *slot, const struct dns_question *q)
{
    uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED);
    if (sequence & 1 || !__atomic_compare_exchange_n(&slot->sequence, &sequence, sequence + 1, false,
                                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return false;
    slot->question = *q;
    __atomic_store_n(&slot->sequence, sequence + 2, __ATOMIC_RELEASE);
    return true;
}

/* Where there is no room, the answer keeps the stand-in's name, and the program rejects it. */
static void record_denied(const struct dns_question *q)
{
    put_question(&denied[__atomic_fetch_add(&denied_next, 1, __ATOMIC_RELAXED) % DENIED], q);
}

static bool find_denied(uint16_t id, struct dns_question *q)
{
    uint32_t newest = __atomic_load_n(&denied_next, __ATOMIC_RELAXED);
    for (uint32_t back = 1; back <= DENIED; back++) {
        const struct denied *slot = &denied[(newest - back) % DENIED];
        uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
        if (sequence == 0 || sequence & 1 || slot->question.id != id)
            continue;
        *q = slot->question;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == sequence)
            return true;
    }
    return false;
}

static bool holds_name(const struct denied *slot, const struct dns_question *q)
{
    uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    bool same = !(sequence & 1) && slot->question.name_len == q->name_len &&
                same_bytes(slot->question.name, q->name, q->name_len);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return same && __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == sequence;
}

/* Whether the question is the second of one look-up: getaddrinfo asks for IPv4 and IPv6, and one alert suffices. */
static bool is_second_question(const struct dns_question *q)
{
    static struct denied last; /* the last reported A question */
    static uint32_t awaited;
    if (q->type == DNS_TYPE_AAAA)
        return __atomic_exchange_n(&awaited, 0, __ATOMIC_RELAXED) && holds_name(&last, q);
    if (q->type == DNS_TYPE_A)
        __atomic_store_n(&awaited, put_question(&last, q), __ATOMIC_RELEASE);
    return false;
}

struct verdict judge_question(const struct dns_question *q, struct facts *facts)
{
    struct text name = {q->name, q->name_len};
    facts->host = name;
    struct verdict verdict = verdict_name(&sealed->policy, name);
    if (verdict.reason == REASON_DENIED)
        return verdict;
    /* Bytes outside a host name's alphabet can carry data, and no entry admits them. */
    if (!hostname_is_well_formed(name))
        return verdict_unlisted(&sealed->policy, OUTBOUND_CONNECTIVITY, REASON_NOT_LISTED);
    facts->allow = name;
    if (verdict.action != ACTION_ALLOW && is_self_lookup(name))
        return (struct verdict){.policy = OUTBOUND_CONNECTIVITY,
                                .action = ACTION_ALLOW,
                                .reason = REASON_ALWAYS,
                                .rule = RULE_NONE};
    return verdict;
}

uint32_t rewrite_dns_query(const uint8_t *query, uint32_t len, uint8_t out[DNS_QUERY_MAX])
{
    struct dns_question q;
    if (!dns_read_query(query, len, &q))
        return 0;
    struct text name = {q.name, q.name_len};
    if (!hostname_is_well_formed(name) || verdict_name(&sealed->policy, name).action != ACTION_ALLOW)
        return 0;
    record_asked(&q);
    return dns_write_query(&q, query, out);
}

int64_t send_dns_query(const struct call *call, int32_t descriptor, const uint8_t *query, uint32_t len,
                       uint64_t flags, const struct sockaddr_bytes *server)
{
    flags = QUERY_FLAGS(flags);
    struct dns_question q;
    struct facts facts = {.protocol = TEXT("dns")};
    struct verdict verdict;
    bool readable_query = dns_read_query(query, len, &q);
    if (readable_query) {
        verdict = judge_question(&q, &facts);
    } else { /* no query, so it is data */
        verdict = verdict_unread(&sealed->policy);
    }
    mark_udp_dns(descriptor);
    bool silent = readable_query && verdict.action != ACTION_ALLOW && is_second_question(&q);
    if (silent ? verdict.action != ACTION_DENY : !refuses(call, verdict, &facts)) {
        if (readable_query)
            record_asked(&q);
        /* Only the judged question is sent: no options, no data behind it. */
        uint8_t plain[DNS_QUERY_MAX];
        bool as_it_is = verdict.action != ACTION_ALLOW || verdict.reason == REASON_MODE_ALLOW;
        uint32_t size = as_it_is ? len : dns_write_query(&q, query, plain);
        int64_t sent =
            KERNEL(sendto, descriptor, as_it_is ? query : plain, size, flags, server->bytes, server->len);
        return is_error(sent) ? sent : (int64_t)len;
    }
    if (!readable_query)
        return -EACCES;
    uint8_t stand_in[DNS_STAND_IN_MAX];
    uint32_t size = dns_write_stand_in(&q, stand_in);
    record_denied(&q);
    int64_t sent = KERNEL(sendto, descriptor, stand_in, size, flags, server->bytes, server->len);
    return is_error(sent) ? sent : (int64_t)len;
}

struct learning {
    uint16_t rule, further;
    bool has_further;
    struct text name;
};

static void learn(void *context, const struct address *ip)
{
    const struct learning *l = context;
    if (!verdict_may_learn(&sealed->policy, ip))
        return;
    names_learn(learned_names(), ip, l->rule, l->name);
    if (l->has_further) /* another name of this address may replace this one under the first rule */
        names_learn(learned_names(), ip, l->further, l->name);
}

void learn_from_answer(const uint8_t *message, uint32_t len)
{
    struct dns_question q;
    struct learning learning = {.rule = RULE_NONE};
    if (!dns_read_question(message, len, &q) || !was_asked(&q))
        return;
    learning.name = (struct text){q.name, q.name_len};
    /* The name in the answer counts, as a question's hash can be forged (question_tag). */
    struct verdict verdict = verdict_name(&sealed->policy, learning.name);
    if (hostname_is_well_formed(learning.name) && verdict.action == ACTION_ALLOW)
        learning.rule = verdict.rule;
    learning.further = learning.rule;
    learning.has_further = verdict_further_rule(&sealed->policy, learning.name, &learning.further);
    dns_read_answer(message, len, &q, learn, &learning);
}

uint64_t read_dns_answer(uint8_t *message, uint64_t len, uint64_t cap, const struct endpoint *from)
{
    if (len < 12 || len > 65535 || from->port != DNS_PORT)
        return len;
    struct dns_question q;
    uint16_t id = (uint16_t)(message[0] << 8 | message[1]);
    if (dns_is_stand_in(message, (uint32_t)len))
        return find_denied(id, &q) ? dns_write_nxdomain(&q, message, (uint32_t)cap) : len;
    /* Only answers of the function's own resolver are learned: another allowed name server could name any address. */
    if (is_resolver_address(from))
        learn_from_answer(message, (uint32_t)len);
    return len;
}
