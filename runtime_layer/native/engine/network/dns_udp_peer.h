/* Records the name server to which the program connected a UDP socket.
 *
 * The gate never connects a UDP socket to a name server, as calls that the gate does not read (write, splice, a duplicate of
 * the descriptor) could send on it. Instead the gate records the server and adds its address to each query that it has read.
 * The kernel refuses other sends, as the socket has no peer.
 */
#ifndef SHIELD_DNS_UDP_PEER_H
#define SHIELD_DNS_UDP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/socket_info.h"

/* Records the name server of a socket. False: the descriptor's number is too high. */
bool record_name_server(int32_t descriptor, const struct sockaddr_bytes *server);
void forget_name_server(int32_t descriptor);
/* The recorded name server of a UDP socket. False: it has none, or the number is another file's now. */
bool find_name_server(int32_t descriptor, struct sockaddr_bytes *server);
/* Whether this server is the sender: a connected socket receives from its peer only (connect(2)). */
bool is_sent_by(const struct sockaddr_bytes *server, const struct endpoint *sender);

#endif
