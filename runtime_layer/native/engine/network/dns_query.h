/* Judges DNS queries and reads answers, over UDP.
 *
 * A denied name is replaced by a stand-in that cannot exist, and its answer is turned into NXDOMAIN for the denied name. So the
 * program sees the denial at once, however it waits.
 */
#ifndef SHIELD_DNS_QUERY_H
#define SHIELD_DNS_QUERY_H

#include "../../core/dns.h"
#include "../base/syscall_ctx.h"
#include "../report/alerts.h"
#include "dns_udp_peer.h"

enum { DNS_PORT = 53, QUERY_MAX = 1232 };

/* Whether a query was sent on this descriptor, so that an answer may arrive. Removes the mark of a reused number. */
bool is_dns_socket(struct socket_facts *socket);

/* Judges one query and sends it, or its stand-in, to the server. `len` bytes at `query` are the gate's copy. Returns the result
 * of sendto for the program's query. */
int64_t send_dns_query(const struct call *call, int32_t descriptor, const uint8_t *query, uint32_t len,
                       uint64_t flags, const struct sockaddr_bytes *server);
/* The flags of a query: without MSG_ZEROCOPY, as the bytes lie on the gate's stack; without MSG_MORE, as later data must not
 * join a query (udp(7), UDP_CORK); without MSG_FASTOPEN, which would connect a TCP socket. */
#define QUERY_FLAGS(flags) ((flags) & ~(uint64_t)(MSG_ZEROCOPY | MSG_MORE | MSG_FASTOPEN))
/* Writes an allowed query in its final form. Returns its length; 0: it is not allowed. */
uint32_t rewrite_dns_query(const uint8_t *query, uint32_t len, uint8_t out[DNS_QUERY_MAX]);

/* Reads an answer before the program sees it: learns addresses, restores denied questions. Returns the new length. */
uint64_t read_dns_answer(uint8_t *message, uint64_t len, uint64_t cap, const struct endpoint *from);

/* Whether it is the machine's own name, or the reverse name of an address that is loopback, the machine's own, or admitted. */
bool is_self_lookup(struct text name);

/* Parts of these two, for queries over TCP. The verdict on a question; `facts`: for its alert. */
struct verdict judge_question(const struct dns_question *q, struct facts *facts);
/* Records a question before it is sent, so that its answer is learned. */
void record_asked(const struct dns_question *q);
/* Learns from an answer of the function's own resolver. */
void learn_from_answer(const uint8_t *message, uint32_t len);

#endif
