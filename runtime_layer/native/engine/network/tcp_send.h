/* Sending on a TCP socket that is watched: piece by piece, each judged by whom the socket is connected to, and sent by a
 * descriptor of the gate's own, where there are other threads: nobody lays another socket under that number. */
#ifndef SHIELD_TCP_SEND_H
#define SHIELD_TCP_SEND_H

#include "network.h"

/* The result is what sendmsg would have given. An address in the message is left out: a connection takes no notice of
 * it. */
int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);

#endif
