/* Reads the name in a DNS question and the addresses in an answer (RFC 1035), and writes the gate's own messages.
 *
 * A denied name must never leave the function, but the program should see "no such name" instead of a time-out. So the
 * gate sends a stand-in question for a name that cannot exist (RFC 6761: .invalid), and turns the resolver's answer into
 * NXDOMAIN for the denied name.
 */
#ifndef SHIELD_DNS_H
#define SHIELD_DNS_H

#include "endpoint.h"
#include "text.h"

enum {
    DNS_NAME_MAX = 254,     /* presentation form: 253 and a terminator's room */
    DNS_QUESTION_MAX = 260, /* wire form: 255 name + type + class, rounded up */
    DNS_STAND_IN_MAX = 64,
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_AAAA = 28
};

struct dns_question {
    uint16_t id;
    uint16_t type;
    uint16_t wire_len; /* name + type + class as sent */
    uint16_t name_len;
    uint8_t wire[DNS_QUESTION_MAX]; /* the question section as sent, case kept (0x20 randomisation) */
    char name[DNS_NAME_MAX];        /* lower case, without the trailing dot; empty for the root */
};

/* Reads the one question of a query or of an answer, which must not be compressed. Names as in dns_read_query. */
bool dns_read_question(const uint8_t *message, uint32_t len, struct dns_question *q);
/* Reads a query: exactly one question, opcode QUERY, not compressed. In the name, '?' replaces each byte that a host name
 * cannot hold, so that no pattern matches it. False when it is not a well-formed query. */
bool dns_read_query(const uint8_t *message, uint32_t len, struct dns_question *q);
/* The query as it is sent: header, question and, where there was one, a bare EDNS record. Options and other bytes behind the
 * question are removed. Returns its length. */
enum { DNS_QUERY_MAX = 12 + DNS_QUESTION_MAX + 11 };
uint32_t dns_write_query(const struct dns_question *q, const uint8_t *original, uint8_t out[DNS_QUERY_MAX]);
/* The query to send instead: same id, the stand-in name. Returns its length. */
uint32_t dns_write_stand_in(const struct dns_question *denied, uint8_t out[DNS_STAND_IN_MAX]);
/* Is this an answer to a stand-in query? */
bool dns_is_stand_in(const uint8_t *message, uint32_t len);
/* NXDOMAIN for the denied question. Returns its length, at most 12 + DNS_QUESTION_MAX. */
uint32_t dns_write_nxdomain(const struct dns_question *denied, uint8_t *out, uint32_t cap);
/* Calls `each` for the addresses of a response, along the CNAME chain that starts at the question. The response must have
 * QR set, rcode 0, and the id and question of `asked`. A truncated or malformed message counts up to its fault, if the
 * chain up to there is whole. Returns the number of addresses. */
uint32_t dns_read_answer(const uint8_t *message, uint32_t len, const struct dns_question *asked,
                         void (*each)(void *context, const struct address *ip), void *context);

#endif
