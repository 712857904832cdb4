/* Reads and writes DNS messages; see dns.h.
 *
 * Every read is checked against the message's length. A compression pointer must point before the name that it is in, so
 * that following pointers always ends. The pointers in a name and the CNAMEs in a chain are limited, so that a hostile
 * resolver's message takes bounded time. It does not know who sent a message: its caller does.
 * Tests: tests/unit/core/test_dns.py, tests/lab/fuzz/dns.c, tests/lab/proofs/names.c. */
#include "dns.h"

enum {
    HEADER_LEN = 12,
    LABEL_MAX = 63,
    WIRE_NAME_MAX = 255,
    CLASS_IN = 1,
    TYPE_ANY = 255,
    RECORD_FIXED_LEN = 10, /* type, class, TTL, data length */
    CHAIN_MAX = 16,        /* CNAMEs followed; resolvers have similar limits */
    POINTERS_MAX = 128,    /* in one name, which has at most as many labels */
    /* header, second 16 bits */
    FLAG_RESPONSE = 0x8000,
    MASK_OPCODE = 0x7800,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    MASK_RCODE = 0x000f,
    RCODE_NXDOMAIN = 3
};

/* name-not-allowed.shielded-function.invalid, in wire form with its final root label. */
static const char STAND_IN[] = "\020name-not-allowed\021shielded-function\007invalid";
_Static_assert(HEADER_LEN + sizeof STAND_IN + 4 <= DNS_STAND_IN_MAX, "a stand-in query fits its buffer");

struct message {
    const uint8_t *at;
    uint32_t len;
};

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void write16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Walks the labels of a name, following pointers. */
struct label_walk {
    struct message m;
    uint32_t at;    /* where the next label's length is */
    uint32_t limit; /* a pointer must lead before this: the start of the current run of labels */
    uint32_t spent; /* wire length so far, uncompressed */
    uint32_t hops;  /* pointers followed */
    uint32_t end;   /* the offset behind the name; 0 until known */
    const uint8_t *label;
    uint32_t label_len;
};

enum walk { WALK_FAULT, WALK_LABEL, WALK_END };

static struct label_walk walk_name(struct message m, uint32_t at)
{
    return (struct label_walk){.m = m, .at = at, .limit = at};
}

static enum walk next_label(struct label_walk *w)
{
    for (;;) {
        uint8_t len;
        if (w->at >= w->m.len)
            return WALK_FAULT;
        len = w->m.at[w->at];
        if ((len & 0xc0) == 0xc0) {
            uint32_t target;
            if (w->m.len - w->at < 2)
                return WALK_FAULT;
            target = read16(w->m.at + w->at) & 0x3fff;
            if (target >= w->limit || ++w->hops > POINTERS_MAX)
                return WALK_FAULT;
            if (!w->end)
                w->end = w->at + 2;
            w->at = w->limit = target;
            continue;
        }
        if (len > LABEL_MAX)
            return WALK_FAULT;
        w->spent += 1u + len;
        if (w->spent > WIRE_NAME_MAX || w->m.len - w->at <= len)
            return WALK_FAULT;
        w->label = w->m.at + w->at + 1;
        w->label_len = len;
        w->at += 1u + len;
        if (len)
            return WALK_LABEL;
        if (!w->end)
            w->end = w->at;
        return WALK_END;
    }
}

/* The offset behind the name at `at`, or 0 when it is malformed. */
static uint32_t skip_name(struct message m, uint32_t at)
{
    struct label_walk w = walk_name(m, at);
    enum walk step;
    while ((step = next_label(&w)) == WALK_LABEL)
        ;
    return step == WALK_END ? w.end : 0;
}

static bool same_label(const struct label_walk *a, const struct label_walk *b)
{
    if (a->label_len != b->label_len)
        return false;
    for (uint32_t i = 0; i < a->label_len; i++)
        if (to_lower((char)a->label[i]) != to_lower((char)b->label[i]))
            return false;
    return true;
}

static bool same_name(struct message a, uint32_t a_at, struct message b, uint32_t b_at)
{
    struct label_walk x = walk_name(a, a_at), y = walk_name(b, b_at);
    for (;;) {
        enum walk step = next_label(&x);
        if (step == WALK_FAULT || step != next_label(&y))
            return false;
        /* Mostly one name points to the other, and the rest is the same. */
        if (step == WALK_END || x.label == y.label)
            return true;
        if (!same_label(&x, &y))
            return false;
    }
}

/* As endpoint.h's hostname_canonical; other characters become '?'. */
static char host_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' ? to_lower(c) : '?';
}

bool dns_read_question(const uint8_t *message, uint32_t len, struct dns_question *q)
{
    struct message m = {message, len};
    struct label_walk w = walk_name(m, HEADER_LEN);
    enum walk step;
    uint32_t used = 0;
    q->id = q->type = q->wire_len = q->name_len = 0;
    if (len < HEADER_LEN || (read16(message + 2) & MASK_OPCODE) || read16(message + 4) != 1)
        return false;
    while ((step = next_label(&w)) == WALK_LABEL) {
        if (used)
            q->name[used++] = '.';
        const struct label_walk label =
            w; /* a copy, as the compiler assumes that the writes below change `w` */
        for (uint32_t i = 0; i < label.label_len; i++)
            q->name[used + i] = host_char((char)label.label[i]);
        used += label.label_len;
    }
    /* A name that ends elsewhere than its labels was compressed. */
    if (step != WALK_END || w.end != w.at || w.end != HEADER_LEN + w.spent || len - w.end < 4)
        return false;
    q->id = read16(message);
    q->type = read16(message + w.end);
    q->name_len = (uint16_t)used;
    q->wire_len = (uint16_t)(w.spent + 4);
    copy_bytes(q->wire, message + HEADER_LEN, q->wire_len);
    return true;
}

bool dns_read_query(const uint8_t *message, uint32_t len, struct dns_question *q)
{
    if (!dns_read_question(message, len, q) || (read16(message + 2) & FLAG_RESPONSE))
        return false;
    /* No answer or authority records; EDNS comes as an additional record. */
    return !read16(message + 6) && !read16(message + 8);
}

static void write_header(uint8_t *out, uint16_t id, uint16_t flags)
{
    fill_bytes(out, 0, HEADER_LEN);
    write16(out, id);
    write16(out + 2, flags);
    write16(out + 4, 1);
}

uint32_t dns_write_query(const struct dns_question *q, const uint8_t *original, uint8_t out[DNS_QUERY_MAX])
{
    /* Root name, type OPT, 1232 bytes of answer (RFC 6891), no flags, no options. */
    static const uint8_t edns[] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
    uint32_t at = HEADER_LEN + q->wire_len;
    write_header(out, q->id, FLAG_RECURSION_DESIRED);
    copy_bytes(out + HEADER_LEN, q->wire, q->wire_len);
    if (!read16(original + 10))
        return at;
    write16(out + 10, 1);
    copy_bytes(out + at, edns, sizeof edns);
    return at + sizeof edns;
}

uint32_t dns_write_stand_in(const struct dns_question *denied, uint8_t out[DNS_STAND_IN_MAX])
{
    uint32_t at = HEADER_LEN + sizeof STAND_IN;
    write_header(out, denied->id, FLAG_RECURSION_DESIRED);
    copy_bytes(out + HEADER_LEN, STAND_IN, sizeof STAND_IN);
    /* The program chose the type, which could carry data, so it is replaced too. */
    write16(out + at, denied->type == DNS_TYPE_AAAA ? DNS_TYPE_AAAA : DNS_TYPE_A);
    write16(out + at + 2, CLASS_IN);
    return at + 4;
}

bool dns_is_stand_in(const uint8_t *message, uint32_t len)
{
    struct message m = {message, len}, stand_in = {(const uint8_t *)STAND_IN, sizeof STAND_IN};
    return len >= HEADER_LEN && (read16(message + 2) & FLAG_RESPONSE) && read16(message + 4) == 1 &&
           same_name(m, HEADER_LEN, stand_in, 0);
}

uint32_t dns_write_nxdomain(const struct dns_question *denied, uint8_t *out, uint32_t cap)
{
    if (denied->wire_len > DNS_QUESTION_MAX || cap < HEADER_LEN + (uint32_t)denied->wire_len)
        return 0;
    write_header(out, denied->id,
                 FLAG_RESPONSE | FLAG_RECURSION_DESIRED | FLAG_RECURSION_AVAILABLE | RCODE_NXDOMAIN);
    copy_bytes(out + HEADER_LEN, denied->wire, denied->wire_len);
    return HEADER_LEN + denied->wire_len;
}

struct record {
    uint32_t owner; /* where its name is */
    uint16_t type;
    uint16_t class;
    uint16_t data_len;
    uint32_t data;
    uint32_t next;
};

static bool read_record(struct message m, uint32_t at, struct record *r)
{
    uint32_t fixed = skip_name(m, at);
    if (!fixed || m.len - fixed < RECORD_FIXED_LEN)
        return false;
    r->owner = at;
    r->type = read16(m.at + fixed);
    r->class = read16(m.at + fixed + 2);
    r->data_len = read16(m.at + fixed + 8);
    r->data = fixed + RECORD_FIXED_LEN;
    if (m.len - r->data < r->data_len)
        return false;
    r->next = r->data + r->data_len;
    /* A CNAME's data is one name and nothing else. */
    return r->type != DNS_TYPE_CNAME || skip_name(m, r->data) == r->next;
}

struct answers {
    struct message m;
    uint32_t first; /* where the first record is */
    uint32_t count; /* by the header: the message may hold fewer */
};

/* Moves `name` to the end of its CNAME chain (an offset in the message); false for an endless chain. */
static bool follow_chain(const struct answers *a, uint32_t *name)
{
    for (uint32_t hops = 0; hops < CHAIN_MAX; hops++) {
        struct record r = {.next = a->first};
        bool moved = false;
        for (uint32_t i = 0; i < a->count && !moved && read_record(a->m, r.next, &r); i++) {
            if (r.type == DNS_TYPE_CNAME && r.class == CLASS_IN && same_name(a->m, r.owner, a->m, *name)) {
                *name = r.data;
                moved = true;
            }
        }
        if (!moved)
            return true;
    }
    return false;
}

static bool read_address(struct message m, const struct record *r, struct address *ip)
{
    /* The kernel's layout, so that endpoint_from_sockaddr makes mapped addresses canonical. */
    uint8_t sockaddr[28] = {0};
    struct endpoint e;
    if (r->class != CLASS_IN)
        return false;
    if (r->type == DNS_TYPE_A && r->data_len == 4) {
        sockaddr[0] = 2;
        copy_bytes(sockaddr + 4, m.at + r->data, 4);
    } else if (r->type == DNS_TYPE_AAAA && r->data_len == 16) {
        sockaddr[0] = 10;
        copy_bytes(sockaddr + 8, m.at + r->data, 16);
    } else {
        return false;
    }
    if (endpoint_from_sockaddr(sockaddr, sizeof sockaddr, &e) != SOCKADDR_INET)
        return false;
    *ip = e.ip;
    return true;
}

static bool answers_question(struct message m, const struct dns_question *asked, uint32_t *after)
{
    struct message question = {asked->wire, asked->wire_len};
    if (m.len < HEADER_LEN || asked->wire_len < 5 || asked->wire_len > DNS_QUESTION_MAX)
        return false;
    if (read16(m.at) != asked->id ||
        (read16(m.at + 2) & (FLAG_RESPONSE | MASK_OPCODE | MASK_RCODE)) != FLAG_RESPONSE)
        return false;
    if (read16(m.at + 4) != 1)
        return false;
    /* Mostly it is the question byte for byte. */
    if (m.len - HEADER_LEN >= question.len && same_bytes(m.at + HEADER_LEN, question.at, question.len)) {
        *after = HEADER_LEN + question.len;
        return true;
    }
    if (!same_name(m, HEADER_LEN, question, 0))
        return false;
    *after = skip_name(m, HEADER_LEN);
    if (m.len - *after < 4 || !same_bytes(m.at + *after, asked->wire + asked->wire_len - 4, 4))
        return false;
    *after += 4;
    return true;
}

uint32_t dns_read_answer(const uint8_t *message, uint32_t len, const struct dns_question *asked,
                         void (*each)(void *context, const struct address *ip), void *context)
{
    struct answers a = {.m = {message, len}};
    struct record r;
    struct address ip;
    uint32_t name = HEADER_LEN, given = 0;
    if (!answers_question(a.m, asked, &a.first))
        return 0;
    a.count = read16(message + 6);
    if (!follow_chain(&a, &name))
        return 0;
    r.next = a.first;
    for (uint32_t i = 0; i < a.count && read_record(a.m, r.next, &r); i++) {
        if (r.type != asked->type && asked->type != TYPE_ANY)
            continue;
        if (same_name(a.m, r.owner, a.m, name) && read_address(a.m, &r, &ip)) {
            each(context, &ip);
            given++;
        }
    }
    return given;
}
