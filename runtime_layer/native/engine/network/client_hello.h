/* The first bytes of a connection.
 *
 * An address that was allowed by name is often shared by many names, of which the client chooses one in its TLS ClientHello.
 * That name is judged like the one that was resolved. The first write of a socket is read, once, and later ones pass, as other
 * protocols do. A ClientHello that is not whole in that write is refused.
 */
#ifndef SHIELD_CLIENT_HELLO_H
#define SHIELD_CLIENT_HELLO_H

#include "../fds/fd_marks.h"
#include "network.h"

enum { FIRST_MAX = sizeof(struct scratch) }; /* bytes that are read: no ClientHello is as long */

/* Sends on a TCP socket that has a mark. Returns the result of sendmsg. An address in the message is dropped: a connection
 * ignores it. */
int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);

#endif
