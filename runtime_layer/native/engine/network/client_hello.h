/* What a connection says first.
 *
 * An address that was allowed by name is often shared by many names, of which the client chooses one in its TLS
 * ClientHello. That name is judged like the one that was resolved. The gate sends its own
 * copy of what it read. Other protocols pass, and so does what follows: after a ClientHello, once the server has answered
 * without asking for a second one, or the handshake goes on with something else than one.
 */
#ifndef SHIELD_CLIENT_HELLO_H
#define SHIELD_CLIENT_HELLO_H

#include "../fds/fd_marks.h"
#include "network.h"

enum { FIRST_MAX = sizeof(struct scratch) }; /* of what is looked at: no ClientHello is as long */

/* Sends the beginning of a message on a stream that is watched, has this mark, and is connected to `peer`, without waiting:
 * `flags` say so. Returns how much went, or an errno. */
int64_t send_first_bytes(const struct call *call, int32_t descriptor, uint64_t mark,
                         const struct endpoint *peer, const struct message *m, uint64_t flags);

/* Before the program takes what came first on a connection with the mark MARK_TCP_GREETED. */
void inspect_answer(int32_t descriptor);

#endif
