/* DNS at the gate.
 *
 * A denied name is replaced by a stand-in that cannot exist; the answer to it is turned into NXDOMAIN for the
 * name that was asked. So the program sees a clean denial at once, in whatever way it waits.
 */
#ifndef SHIELD_DNS_QUERY_H
#define SHIELD_DNS_QUERY_H

#include "../../core/dns.h"
#include "../base/syscall_ctx.h"
#include "../report/alerts.h"
#include "dns_udp_peer.h"

enum { DNS_PORT = 53, QUERY_MAX = 1232 };

/* Was a query sent on this descriptor, so that what arrives may be an answer? Forgets descriptors that were reused. */
bool is_dns_socket(int32_t descriptor);

/* Judges one query and sends it, or its stand-in, to the server. `len` bytes at `query` are the gate's copy. The
 * result is what sendto would have given for the program's query. */
int64_t send_dns_query(const struct call *call, int32_t descriptor, const uint8_t *query, uint32_t len,
                       uint64_t flags, const struct sockaddr_bytes *server);
/* The bytes lie on the gate's stack, nothing is added to a query later (MSG_ZEROCOPY; MSG_MORE, udp(7): UDP_CORK), and what
 * is a TCP socket by then is not connected (MSG_FASTOPEN). */
#define QUERY_FLAGS(flags) ((flags) & ~(uint64_t)(MSG_ZEROCOPY | MSG_MORE | MSG_FASTOPEN))
/* A query that is simply allowed, as it is sent on. Its length; 0: not such a query. */
uint32_t rewrite_dns_query(const uint8_t *query, uint32_t len, uint8_t out[DNS_QUERY_MAX]);

/* Reads what arrived, before the program sees it: learns addresses, restores denied questions. Returns the new
 * length. */
uint64_t read_dns_answer(uint8_t *message, uint64_t len, uint64_t cap, const struct endpoint *from);

/* The parts of the two, for queries that go by TCP. May it be asked? `facts`: what the alert says, if not. */
struct verdict judge_question(const struct dns_question *q, struct facts *facts);
/* A question that is about to be sent: its answer may teach. */
void remember_asked(const struct dns_question *q);
/* An answer that the function's own resolver gave. */
void learn_from_answer(const uint8_t *message, uint32_t len);

#endif
