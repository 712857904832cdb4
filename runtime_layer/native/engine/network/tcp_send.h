/* Sending on a TCP socket that is looked at: piece by piece, each judged by whom the socket is connected to. */
#ifndef SHIELD_TCP_SEND_H
#define SHIELD_TCP_SEND_H

#include "network.h"

/* The result is what sendmsg would have given. An address in the message is left out: a connection takes no notice of
 * it. */
int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);

#endif
