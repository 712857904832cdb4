/* Facts of a socket from the kernel. */
#ifndef SHIELD_SOCKET_INFO_H
#define SHIELD_SOCKET_INFO_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../core/endpoint.h"
#include "linux_abi.h"

/* An address as the kernel takes it. */
enum { SOCKADDR_MAX = 128 };

struct sockaddr_bytes {
    uint8_t bytes[SOCKADDR_MAX];
    uint32_t len;
};

/* Its type, or an errno. */
int64_t socket_type(int32_t descriptor);
/* UDP, or UDP-Lite, of the internet's families. */
bool is_internet_datagram(int32_t descriptor);
/* Is it an IPv4 socket? */
bool is_ipv4_socket(int32_t descriptor);
/* The peer of a TCP connection. 0, -ENOTCONN, or an errno for another file. */
int64_t peer_of_stream(int32_t descriptor, struct endpoint *peer);
/* Whether getpeername(2) finds no peer. */
bool is_unconnected(int32_t descriptor);
/* The same, also for port 0: getpeername(2) does not find such a peer, but the socket receives only its datagrams. */
bool has_no_peer(int32_t descriptor);
/* Reads TCP_INFO of a connection (tcp(7)), and clears the rest of `info`. Returns the number of bytes read; 0 for another
 * file. */
uint32_t read_tcp_info(int32_t descriptor, struct tcp_info *info);

#endif
