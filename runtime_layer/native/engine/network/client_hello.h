/* Judges the first bytes of a connection.
 *
 * Many names may share an address that was allowed by name, and the client chooses one in its TLS ClientHello. That name is
 * judged like the resolved one. Only the first write of a connection is read; later ones and other protocols pass. A
 * ClientHello that is not whole in that write is refused.
 */
#ifndef SHIELD_CLIENT_HELLO_H
#define SHIELD_CLIENT_HELLO_H

#include "../fds/fd_marks.h"
#include "network.h"

enum { FIRST_MAX = sizeof(struct scratch) }; /* bytes that are read; a ClientHello is shorter */

/* Sends on a TCP socket that has a mark. Returns the result of sendmsg. An address in the message is dropped, as a connection
 * ignores it. */
int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);

#endif
