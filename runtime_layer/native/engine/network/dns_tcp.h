/* DNS over TCP (RFC 7766): queries are judged before they leave, and answers of the function's own resolver teach as they do
 * over UDP. A write holds whole queries, each with its length in front, as every resolver library sends them; a denied one
 * fails the write. */
#ifndef SHIELD_DNS_TCP_H
#define SHIELD_DNS_TCP_H

#include "network.h"

int64_t send_queries(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);
/* Receives for the caller's header `m`, and learns from the answers. */
int64_t receive_answers(int32_t descriptor, struct message *m, uint64_t flags);

#endif
