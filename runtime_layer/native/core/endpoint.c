/* Reads, compares and writes addresses; see endpoint.h. Tests: tests/unit/core/test_endpoint.py, tests/lab/fuzz/sockaddr.c. */
#include "endpoint.h"

/* Linux's values (include/linux/socket.h), on every platform. */
enum {
    LINUX_AF_UNSPEC = 0,
    LINUX_AF_UNIX = 1,
    LINUX_AF_INET = 2,
    LINUX_AF_INET6 = 10,
    LINUX_AF_NETLINK = 16
};

/* The shortest lengths that the kernel takes: sockaddr_in, and sockaddr_in6 without its scope (RFC 2133). */
enum { SOCKADDR_IN_LEN = 16, SOCKADDR_IN6_LEN = 24 };

/* A network: its family, its significant bits, and its first bytes. */
struct range {
    uint8_t family;
    uint8_t prefix;
    uint8_t bytes[16];
};

static const struct range LOOPBACK[] = {
    {FAMILY_V4, 8, {127}},
    {FAMILY_V4, 32, {0}}, /* 0.0.0.0: Linux connects it to this host */
    {FAMILY_V6, 128, {[15] = 1}},
    {FAMILY_V6, 128, {0}}, /* :: likewise */
};

static const struct range INTERNAL[] = {
    {FAMILY_V4, 16, {169, 254}}, /* RFC 3927 link-local; the metadata, credential and time services of AWS */
    {FAMILY_V4, 4, {224}},       /* multicast */
    {FAMILY_V4, 32, {255, 255, 255, 255}},
    {FAMILY_V6, 10, {0xfe, 0x80}},
    {FAMILY_V6, 8, {0xff}},
    /* AWS's own local services over IPv6: fd00:ec2::254 is the instance metadata service. */
    {FAMILY_V6, 32, {0xfd, 0x00, 0x0e, 0xc2}},
};

/* RFC 6052: an IPv4 address inside 64:ff9b::/96 is reached through a NAT64 gateway. */
static const struct range NAT64 = {FAMILY_V6, 96, {0x00, 0x64, 0xff, 0x9b}};

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

static struct address v4_address(const uint8_t bytes[4])
{
    struct address a = {.family = FAMILY_V4};
    copy_bytes(a.bytes, bytes, 4);
    return a;
}

static struct address v6_address(const uint8_t bytes[16])
{
    if (same_bytes(bytes, MAPPED, sizeof MAPPED))
        return v4_address(bytes + 12);
    struct address a = {.family = FAMILY_V6};
    copy_bytes(a.bytes, bytes, 16);
    return a;
}

static uint16_t big_endian(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

enum sockaddr_kind endpoint_from_sockaddr(const uint8_t *sockaddr, uint32_t len, struct endpoint *to)
{
    *to = (struct endpoint){0};
    if (len < 2)
        return SOCKADDR_INVALID;
    /* The family is in host order; all supported platforms are little-endian. */
    switch (sockaddr[0] | sockaddr[1] << 8) {
    case LINUX_AF_INET:
        if (len < SOCKADDR_IN_LEN)
            return SOCKADDR_INVALID;
        to->port = big_endian(sockaddr + 2);
        to->ip = v4_address(sockaddr + 4);
        return SOCKADDR_INET;
    case LINUX_AF_INET6:
        if (len < SOCKADDR_IN6_LEN)
            return SOCKADDR_INVALID;
        to->port = big_endian(sockaddr + 2);
        to->ip = v6_address(sockaddr + 8);
        return SOCKADDR_INET;
    case LINUX_AF_UNSPEC:
        /* `to` is filled, because sendto(2) on an IPv4 socket treats it as AF_INET. */
        if (len >= SOCKADDR_IN_LEN) {
            to->port = big_endian(sockaddr + 2);
            to->ip = v4_address(sockaddr + 4);
        }
        return SOCKADDR_UNSPEC;
    case LINUX_AF_UNIX:
    case LINUX_AF_NETLINK: return SOCKADDR_LOCAL;
    default: return SOCKADDR_OTHER;
    }
}

static bool parse_v4(struct text t, uint8_t bytes[4])
{
    struct text part;
    uint32_t count = 0, value;
    while (text_next(&t, '.', &part)) {
        /* A leading zero is refused: some parsers read octal, others decimal. */
        if (count == 4 || part.len > 3 || (part.len > 1 && part.at[0] == '0') ||
            !text_number(part, 255, &value))
            return false;
        bytes[count++] = (uint8_t)value;
    }
    return count == 4;
}

static bool parse_group(struct text t, uint8_t bytes[2])
{
    uint32_t value = 0;
    if (!t.len || t.len > 4)
        return false;
    for (uint32_t i = 0; i < t.len; i++) {
        int digit = hex_digit(t.at[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    return true;
}

/* Parses one side of "::", or the whole: groups between colons, the last of which may be a dotted quad. Returns the number
 * of bytes filled, or -1. */
static int parse_groups(struct text t, bool may_end_in_v4, uint8_t bytes[16])
{
    struct text part;
    int used = 0;
    if (!t.len)
        return 0;
    while (text_next(&t, ':', &part)) {
        if (used <= 12 && !t.at && may_end_in_v4 && parse_v4(part, bytes + used))
            used += 4;
        else if (used <= 14 && parse_group(part, bytes + used))
            used += 2;
        else
            return -1;
    }
    return used;
}

static bool parse_v6(struct text t, uint8_t bytes[16])
{
    fill_bytes(bytes, 0, 16);
    for (uint32_t i = 0; i + 1 < t.len; i++) {
        if (t.at[i] != ':' || t.at[i + 1] != ':')
            continue;
        uint8_t tail[16];
        int head_len = parse_groups((struct text){t.at, i}, false, bytes);
        int tail_len = parse_groups((struct text){t.at + i + 2, t.len - i - 2}, true, tail);
        /* "::" stands for at least one group of zeros. */
        if (head_len < 0 || tail_len < 0 || head_len + tail_len > 14)
            return false;
        copy_bytes(bytes + 16 - tail_len, tail, (size_t)tail_len);
        return true;
    }
    return parse_groups(t, true, bytes) == 16;
}

bool address_parse(struct text t, struct address *out)
{
    uint8_t bytes[16];
    if (parse_v4(t, bytes)) {
        *out = v4_address(bytes);
        return true;
    }
    if (parse_v6(t, bytes)) {
        *out = v6_address(bytes);
        return true;
    }
    *out = (struct address){0};
    return false;
}

static void write_v4(const uint8_t *bytes, struct writer *w)
{
    for (int i = 0; i < 4; i++) {
        if (i)
            put_char(w, '.');
        put_number(w, bytes[i]);
    }
}

static void write_group(uint16_t value, struct writer *w)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4)
        if (value >> shift || !shift)
            put_char(w, digits[value >> shift & 15]);
}

static void write_v6(const uint8_t *bytes, struct writer *w)
{
    uint16_t groups[8];
    int zeros_at = -1, zeros = 1; /* RFC 5952 4.2.2: a single group of zeros is written out */
    for (int i = 0; i < 8; i++)
        groups[i] = big_endian(bytes + 2 * i);
    for (int i = 0; i < 8; i++) {
        int end = i;
        while (end < 8 && !groups[end])
            end++;
        if (end - i > zeros) {
            zeros_at = i;
            zeros = end - i;
        }
        if (end > i)
            i = end - 1;
    }
    for (int i = 0; i < 8; i++) {
        if (i == zeros_at) {
            put_words(w, "::");
            i += zeros - 1;
            continue;
        }
        if (i && i != zeros_at + zeros)
            put_char(w, ':');
        write_group(groups[i], w);
    }
}

void address_write(const struct address *a, struct writer *w)
{
    if (a->family == FAMILY_V4)
        write_v4(a->bytes, w);
    else if (a->family == FAMILY_V6)
        write_v6(a->bytes, w);
}

bool address_and_port(struct text t, struct text *address, struct text *port)
{
    struct address unused;
    uint32_t colon = t.len, number;
    while (colon && t.at[colon - 1] != ':')
        colon--;
    if (!colon)
        return false;
    *address = (struct text){t.at, colon - 1};
    *port = (struct text){t.at + colon, t.len - colon};
    return text_number(*port, 65535, &number) && number && address_parse(*address, &unused);
}

void address_write_entry(const struct address *a, bool has_port, struct writer *w)
{
    char room[48];
    struct writer form = {.at = room, .cap = sizeof room};
    struct text address, port;
    bool bracketed;
    address_write(a, &form);
    bracketed = a->family == FAMILY_V6 &&
                (has_port || address_and_port((struct text){room, form.used}, &address, &port));
    if (bracketed)
        put_char(w, '[');
    put(w, (struct text){room, form.used});
    if (bracketed)
        put_char(w, ']');
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && same_bytes(a->bytes, b->bytes, sizeof a->bytes);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, uint8_t bits)
{
    uint8_t whole = bits / 8, rest = bits % 8;
    if (!same_bytes(a, b, whole))
        return false;
    return !rest || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool address_within(const struct address *a, const struct address *network, uint8_t prefix)
{
    if (a->family == FAMILY_NONE || a->family != network->family)
        return false;
    if (prefix > (a->family == FAMILY_V4 ? 32 : 128))
        return false;
    return same_bits(a->bytes, network->bytes, prefix);
}

static bool in_ranges(const struct address *a, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t first = ranges[i].prefix < 8 ? ranges[i].prefix : 8; /* most differ in the first byte */
        if (a->family == ranges[i].family && !((a->bytes[0] ^ ranges[i].bytes[0]) >> (8 - first)) &&
            same_bits(a->bytes, ranges[i].bytes, ranges[i].prefix))
            return true;
    }
    return false;
}

bool address_is_loopback(const struct address *a)
{
    return in_ranges(a, LOOPBACK, sizeof LOOPBACK / sizeof LOOPBACK[0]);
}

bool network_has_loopback(const struct address *network, uint8_t prefix)
{
    for (size_t i = 0; i < sizeof LOOPBACK / sizeof LOOPBACK[0]; i++) {
        uint8_t shared = LOOPBACK[i].prefix < prefix ? LOOPBACK[i].prefix : prefix;
        if (network->family == LOOPBACK[i].family && same_bits(network->bytes, LOOPBACK[i].bytes, shared))
            return true;
    }
    return false;
}

bool address_from_nat64(const struct address *a, struct address *inner)
{
    *inner = v4_address(a->bytes + 12);
    return in_ranges(a, &NAT64, 1);
}

bool address_is_internal(const struct address *a)
{
    struct address inner;
    if (address_from_nat64(a, &inner))
        return address_is_loopback(&inner) || address_is_internal(&inner);
    return in_ranges(a, INTERNAL, sizeof INTERNAL / sizeof INTERNAL[0]);
}

/* Whether a resolver would read this last label as part of an IP address (inet_aton: decimal, octal, 0x hex). */
static bool label_is_number(struct text label)
{
    uint32_t i = 0;
    bool hex = label.len >= 2 && label.at[0] == '0' && (label.at[1] | 0x20) == 'x';
    for (i = hex ? 2 : 0; i < label.len; i++)
        if (!(hex ? hex_digit(label.at[i]) >= 0 : is_digit(label.at[i])))
            return false;
    return true;
}

/* The name without a trailing dot. */
static struct text relative_name(struct text t)
{
    return (struct text){t.at, t.len - (t.len && t.at[t.len - 1] == '.')};
}

bool hostname_is_well_formed(struct text t)
{
    uint32_t label = 0; /* its offset */
    t = relative_name(t);
    if (!t.len || t.len > 253)
        return false;
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (c == '.') {
            if (i == label)
                return false;
            label = i + 1;
        } else if (i - label == 63 || !(is_letter(c) || is_digit(c) || c == '-' || c == '_')) {
            return false;
        }
    }
    return label < t.len && !label_is_number((struct text){t.at + label, t.len - label});
}

bool hostname_canonical(struct text t, struct writer *out)
{
    if (!hostname_is_well_formed(t))
        return false;
    t = relative_name(t);
    for (uint32_t i = 0; i < t.len; i++)
        put_char(out, to_lower(t.at[i]));
    return !out->full;
}
