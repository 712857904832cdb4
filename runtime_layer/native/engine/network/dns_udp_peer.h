/* Which name server a UDP socket is meant to be connected to.
 *
 * A UDP socket is never connected to a name server: a connected socket could be written to by calls that the gate
 * does not read (write, splice, a duplicate of the descriptor). Instead the gate remembers that the program
 * asked for it, and addresses each query that it has read itself. Whatever bypasses the gate meets a socket
 * without a peer, which the kernel refuses.
 */
#ifndef SHIELD_DNS_UDP_PEER_H
#define SHIELD_DNS_UDP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/socket_info.h"

/* Remembers the name server that a socket is meant to be connected to. False: its number is too high. */
bool record_name_server(int32_t descriptor, const struct sockaddr_bytes *server);
void forget_name_server(int32_t descriptor);
/* The name server that a UDP socket is meant to be connected to. False: it has none; as what only had its number. */
bool find_name_server(int32_t descriptor, struct sockaddr_bytes *server);
/* Is it that server's? What comes from elsewhere does not exist for a connected socket (connect(2)). */
bool is_sent_by(const struct sockaddr_bytes *server, const struct endpoint *sender);

#endif
