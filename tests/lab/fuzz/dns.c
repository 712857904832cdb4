/* DNS messages: what is written can be read back as the same question, nothing is written past its room, and only
 * addresses that stand in an answer are given. Input: the length of a query (two bytes), the query, an answer. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/dns.h"
#include "../../../runtime_layer/native/core/machine_names.h"

static bool same_question(const struct dns_question *a, const struct dns_question *b)
{
    return a->id == b->id && a->type == b->type && a->wire_len == b->wire_len && a->name_len == b->name_len &&
           !memcmp(a->wire, b->wire, a->wire_len) && !memcmp(a->name, b->name, a->name_len);
}

static void question_is_sound(const struct dns_question *q)
{
    static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789-_?.";
    CHECK(q->wire_len >= 5 && q->wire_len <= DNS_QUESTION_MAX && q->name_len < DNS_NAME_MAX);
    for (uint32_t i = 0; i < q->name_len; i++)
        CHECK(q->name[i] && strchr(host, q->name[i]));
}

/* A name of its own memory, with nothing behind it that could be read. */
static void is_read_within(struct text name)
{
    struct address ip;
    char *copy = room_take(name.len ? name.len : 1, 1);
    memcpy(copy, name.at, name.len);
    struct text own = {copy, name.len}, half = {copy, name.len / 2};
    CHECK(!read_reverse_name(own, &ip) || ip.family == FAMILY_V4 || ip.family == FAMILY_V6);
    CHECK(!name.len || is_machine_name(own, own, own));
    is_machine_name(own, half, own);
    room_give(copy);
}

static void reads_back(const uint8_t *query, uint32_t len)
{
    struct dns_question q, again;
    if (!dns_read_query(query, len, &q))
        return;
    question_is_sound(&q);
    is_read_within((struct text){q.name, q.name_len});
    uint8_t *out = room_take(DNS_QUERY_MAX, 1);
    uint32_t n = dns_write_query(&q, query, out);
    CHECK(n <= DNS_QUERY_MAX && n <= len + 11 && dns_read_query(out, n, &again) && same_question(&q, &again));
    room_give(out);
    out = room_take(DNS_STAND_IN_MAX, 1);
    n = dns_write_stand_in(&q, out);
    CHECK(n <= DNS_STAND_IN_MAX && dns_read_query(out, n, &again) && again.id == q.id);
    CHECK(!dns_is_stand_in(out, n));
    out[2] |= 0x80;
    CHECK(dns_is_stand_in(out, n));
    room_give(out);
    for (uint32_t cap = 0; cap <= 12u + q.wire_len; cap++) {
        out = room_take(cap ? cap : 1, 1);
        n = dns_write_nxdomain(&q, out, cap);
        CHECK(n == (cap < 12u + q.wire_len ? 0 : 12u + q.wire_len));
        CHECK(!n || (dns_read_question(out, n, &again) && same_question(&q, &again) && (out[3] & 15) == 3));
        room_give(out);
    }
}

struct found {
    const uint8_t *message;
    uint32_t len, count;
};

static void occurs(void *context, const struct address *ip)
{
    struct found *found = context;
    uint32_t n = ip->family == FAMILY_V4 ? 4 : 16;
    bool there = false;
    CHECK(ip->family == FAMILY_V4 || ip->family == FAMILY_V6);
    for (uint32_t i = 0; i + n <= found->len && !there; i++)
        there = !memcmp(found->message + i, ip->bytes, n);
    CHECK(there);
    found->count++;
}

static void answers(const uint8_t *message, uint32_t len, const struct dns_question *asked)
{
    struct found found = {message, len, 0};
    uint32_t given = dns_read_answer(message, len, asked, occurs, &found);
    CHECK(given == found.count);
    CHECK(!given || asked->type == DNS_TYPE_A || asked->type == DNS_TYPE_AAAA || asked->type == 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    size_t query_len = take_number(&in, 2);
    struct text query = take_text(&in, query_len);
    struct dns_question asked;
    uint8_t *q = exact_copy(query.at, query.len), *message = exact_copy(in.at, in.left);
    reads_back(q, query.len);
    if (dns_read_question(q, query.len, &asked))
        answers(message, (uint32_t)in.left, &asked);
    if (dns_read_question(message, (uint32_t)in.left, &asked)) {
        question_is_sound(&asked);
        answers(message, (uint32_t)in.left, &asked);
    }
    (void)dns_is_stand_in(message, (uint32_t)in.left);
    room_give(q);
    room_give(message);
    return 0;
}
