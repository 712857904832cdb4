/* ClientHellos made of input, and what servers make of the bytes that reach them.
 *
 * The model is written from RFC 8446 and RFC 6066, and is as lenient as the most lenient of OpenSSL, Go and Java: any
 * record version below 16, empty records and warnings in front, a message in any number of records; and as generous as
 * Erlang about its length. */
#ifndef FUZZ_HELLO_H
#define FUZZ_HELLO_H

#include "fuzz.h"

enum {
    HELLO_MAX = 2048,
    LONGEST_TAKEN = 256 << 10,
    RECORD_CHANGE = 20,
    RECORD_ALERT = 21,
    RECORD_HELLO = 22
};

/* What a server knows by now. */
enum seen {
    SEEN_OTHER, /* this is no TLS, and cannot become any */
    SEEN_PART,  /* more has to come */
    SEEN_WHOLE, /* a ClientHello that a strict server takes */
    SEEN_BAD    /* one that it refuses */
};

struct seen_hello {
    enum seen seen;
    struct text name; /* in `room`; empty: none so far */
    uint32_t names;
    bool encrypted;
    uint8_t room[2 * HELLO_MAX]; /* the messages, out of their records */
};

struct bytes {
    const uint8_t *at;
    size_t left;
    bool ended; /* more was asked for than there is */
};

static inline struct bytes bytes_take(struct bytes *b, size_t n)
{
    struct bytes taken = {b->at, n < b->left ? n : b->left, n > b->left};
    b->ended |= taken.ended;
    b->at += taken.left;
    b->left -= taken.left;
    return taken;
}

static inline uint32_t bytes_number(struct bytes *b, uint32_t size)
{
    struct bytes digits = bytes_take(b, size);
    uint32_t value = 0;
    while (!digits.ended && digits.left--)
        value = value * 256 + *digits.at++;
    return value;
}

static inline struct bytes bytes_vector(struct bytes *b, uint32_t size)
{
    uint32_t n = bytes_number(b, size);
    return bytes_take(b, b->ended ? 0 : n);
}

/* server_name: entries of other kinds than a host are passed over, a second host is a fault (RFC 6066, 3). */
static inline bool seen_server_name(struct seen_hello *s, struct bytes data)
{
    struct bytes list = bytes_vector(&data, 2); /* all of the extension is there */
    if (list.ended || data.ended || data.left)
        return false;
    while (list.left) {
        uint32_t kind = bytes_number(&list, 1);
        struct bytes name = bytes_vector(&list, 2);
        if (list.ended || name.ended)
            return false;
        if (kind)
            continue;
        s->name = (struct text){(const char *)name.at, (uint32_t)name.left};
        if (++s->names > 1)
            return false;
    }
    return true;
}

/* Returns false for a fault; what is not there yet is none. */
static inline bool seen_extensions(struct seen_hello *s, struct bytes *all)
{
    uint32_t server_names = 0;
    while (all->left && !all->ended) {
        uint32_t kind = bytes_number(all, 2);
        struct bytes data = bytes_vector(all, 2);
        if (all->ended)
            break;
        s->encrypted |= kind == 0xfe0d;
        if (kind == 0 && (++server_names > 1 || !seen_server_name(s, data)))
            return false;
    }
    return true;
}

/* So much of them is the first message, once its header is there. */
static inline uint32_t message_len(const uint8_t *room, uint32_t used)
{
    return used < 4 ? UINT32_MAX : 4 + ((uint32_t)room[1] << 16 | (uint32_t)room[2] << 8 | room[3]);
}

/* The first message that the records carry, and what else is in its last one. False: this is no TLS. */
static inline bool unwrap_records(struct bytes in, struct seen_hello *s, uint32_t *used)
{
    uint8_t *room = s->room;
    uint32_t cap = sizeof s->room;
    *used = 0;
    while (in.left && *used < message_len(room, *used)) {
        uint32_t type = bytes_number(&in, 1);
        if (type < RECORD_CHANGE || type > RECORD_HELLO || (in.left && *in.at > 15))
            return false;
        bytes_take(&in, 2);
        uint32_t len = bytes_number(&in, 2);
        bool is_known = !in.ended;
        if (is_known && ((type == RECORD_CHANGE && len) || (type == RECORD_ALERT && len != 2)))
            return false;
        struct bytes body = bytes_take(&in, is_known ? len : 0);
        if (type == RECORD_HELLO) {
            uint32_t n = (uint32_t)(body.left < cap - *used ? body.left : cap - *used);
            if (n)
                memcpy(room + *used, body.at, n);
            *used += n;
        } else if (type == RECORD_ALERT && !in.ended && (body.at[0] != 1 || !body.at[1])) {
            return false;
        }
        if (in.ended)
            break;
    }
    return true;
}

static inline void hello_seen(const uint8_t *bytes, size_t len, struct seen_hello *s)
{
    uint32_t used;
    *s = (struct seen_hello){.seen = SEEN_OTHER};
    if (!unwrap_records((struct bytes){bytes, len, false}, s, &used))
        return;
    struct bytes in = {s->room, used, false};
    if (used && *in.at != 1)
        return;
    s->seen = SEEN_PART;
    if (used >= 4 && message_len(s->room, used) - 4 > LONGEST_TAKEN) {
        s->seen = SEEN_BAD;
        return;
    }
    bytes_take(&in, 1);
    struct bytes body = bytes_vector(&in, 3);
    bool whole = !in.ended;
    body.ended = false;
    bytes_take(&body, 34);
    bytes_vector(&body, 1);
    bytes_vector(&body, 2);
    bytes_vector(&body, 1);
    if (body.ended) {
        s->seen = whole ? SEEN_BAD : SEEN_PART;
        return;
    }
    bool has_extensions = body.left;
    struct bytes extensions = has_extensions ? bytes_vector(&body, 2) : (struct bytes){0};
    bool exact = !extensions.ended && !body.left && !in.left;
    extensions.ended = false;
    bool sound = seen_extensions(s, &extensions);
    exact = exact && !extensions.ended;
    s->seen = !sound || (whole && !exact) ? SEEN_BAD : whole ? SEEN_WHOLE : SEEN_PART;
}

/* Bytes that are written one after the other; what does not fit is left out. */
struct made {
    uint8_t *at;
    uint32_t used, cap;
};

static inline void make_bytes(struct made *m, const void *bytes, size_t n)
{
    if (n > m->cap - m->used)
        n = m->cap - m->used;
    if (n)
        memcpy(m->at + m->used, bytes, n);
    m->used += (uint32_t)n;
}

static inline void make_number(struct made *m, uint32_t value, uint32_t size)
{
    while (size--)
        make_bytes(m, &(uint8_t){(uint8_t)(value >> (8 * size))}, 1);
}

/* Puts a length in front of what was written since `from`; `lie` is added to it. */
static inline void make_length(struct made *m, uint32_t from, uint32_t size, uint32_t lie)
{
    uint32_t n = m->used - from;
    if (m->cap - m->used < size)
        return;
    memmove(m->at + from + size, m->at + from, n);
    m->used = from;
    make_number(m, n + lie, size);
    m->used = from + size + n;
}

static inline void make_host_entry(struct made *m, uint32_t kind, struct text host)
{
    make_number(m, kind, 1);
    make_number(m, host.len, 2);
    make_bytes(m, host.at, host.len);
}

static inline void make_extension(struct input *in, struct made *m, const char *const *hosts, uint32_t count)
{
    uint32_t what = (uint32_t)take_number(in, 1) % 8, entries = what < 4 ? 1 : 2, kind = 0;
    uint32_t at = m->used;
    if (what < 6) {
        for (uint32_t i = 0; i < entries; i++)
            make_host_entry(m, what == 5 && !i ? 1 : 0, text_of(hosts[take_number(in, 1) % count]));
        make_length(m, at, 2, what == 3 ? (uint32_t)take_number(in, 1) : 0);
    } else if (what == 6) {
        kind = 0xfe0d;
        make_bytes(m, "abcdefgh", 8);
    } else {
        kind = (uint32_t)take_number(in, 2);
        struct text t = take_text(in, take_number(in, 1));
        make_bytes(m, t.at, t.len);
    }
    make_length(m, at, 2, 0);
    uint32_t data = m->used - at;
    make_length(m, at, 2, 0); /* room for the kind */
    m->used = at;
    make_number(m, kind, 2);
    m->used = at + 2 + data;
}

/* The message is cut into records of `piece` bytes, with something in front of the first. */
static inline void make_records(struct input *in, struct made *out, struct bytes message)
{
    static const uint8_t front[][7] = {{22, 3, 1, 0, 0}, {20, 3, 1, 0, 0}, {21, 3, 1, 0, 2, 1, 90}};
    uint32_t before = (uint32_t)take_number(in, 1) % 16, major = (uint32_t)take_number(in, 1) % 16;
    uint32_t piece = (uint32_t)take_number(in, 1), lie = (uint32_t)take_number(in, 1) % 8;
    if (before < 3)
        make_bytes(out, front[before], before == 2 ? 7 : 5);
    while (message.left) {
        struct bytes part = bytes_take(&message, piece && piece < message.left ? piece : message.left);
        uint32_t at = out->used;
        make_bytes(out, part.at, part.left);
        make_length(out, at, 2, lie == 7 ? 1 : 0);
        uint32_t whole = out->used - at;
        if (out->cap - out->used < 3)
            return;
        memmove(out->at + at + 3, out->at + at, whole);
        memcpy(out->at + at, (uint8_t[]){RECORD_HELLO, (uint8_t)(major ? major : 3), 1}, 3);
        out->used += 3;
    }
}

/* A ClientHello with hosts of `hosts`; in most cases one that a server takes. */
static inline uint32_t make_hello(struct input *in, uint8_t *out, uint32_t cap, const char *const *hosts,
                                  uint32_t count)
{
    uint8_t room[HELLO_MAX];
    struct made m = {room, 0, sizeof room}, records = {out, 0, cap};
    uint32_t extensions = (uint32_t)take_number(in, 1) % 5, lies = (uint32_t)take_number(in, 1) % 32;
    make_number(&m, 0x0303, 2);
    make_bytes(&m, (uint8_t[32]){0}, 32);
    make_number(&m, 0, 1);
    make_number(&m, 2, 2);
    make_number(&m, 0x1301, 2);
    make_number(&m, 0x0100, 2);
    uint32_t at = m.used;
    while (extensions--)
        make_extension(in, &m, hosts, count);
    make_length(&m, at, 2, lies == 1 ? (uint32_t)take_number(in, 1) : 0);
    make_length(&m, 0, 3, lies == 2 ? (uint32_t)take_number(in, 1) : 0);
    struct made typed = {room, 0, sizeof room};
    memmove(room + 1, room, m.used < sizeof room ? m.used : sizeof room - 1);
    make_number(&typed, lies == 3 ? (uint32_t)take_number(in, 1) : 1, 1);
    make_records(in, &records, (struct bytes){room, m.used < sizeof room ? m.used + 1 : sizeof room, false});
    return records.used;
}

#endif
