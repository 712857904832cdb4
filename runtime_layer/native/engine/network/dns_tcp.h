/* Judges queries of DNS over TCP (RFC 7766) before they leave, and learns addresses from answers of the function's own
 * resolver. A write must hold whole queries, each with its length in front, as resolver libraries send them; a denied query
 * fails the write. */
#ifndef SHIELD_DNS_TCP_H
#define SHIELD_DNS_TCP_H

#include "network.h"

int64_t send_queries(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);
/* Receives for the caller's header `m`, and learns from the answers. */
int64_t receive_answers(int32_t descriptor, struct message *m, uint64_t flags);

#endif
