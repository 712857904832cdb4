/* The name server that the program connected a UDP socket to.
 *
 * A UDP socket is never connected to a name server: a connected socket could be written to by calls that the gate does not read
 * (write, splice, a duplicate of the descriptor). Instead the gate records the server, and addresses each query that it has
 * read itself. Calls that bypass the gate meet a socket without a peer, which the kernel refuses.
 */
#ifndef SHIELD_DNS_UDP_PEER_H
#define SHIELD_DNS_UDP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/socket_info.h"

/* Records the name server that the program connected a socket to. False: its number is too high. */
bool record_name_server(int32_t descriptor, const struct sockaddr_bytes *server);
void forget_name_server(int32_t descriptor);
/* The name server recorded for a UDP socket. False: it has none, or the number is another file's by now. */
bool find_name_server(int32_t descriptor, struct sockaddr_bytes *server);
/* Did this server send it? A connected socket receives from its peer alone (connect(2)). */
bool is_sent_by(const struct sockaddr_bytes *server, const struct endpoint *sender);

#endif
