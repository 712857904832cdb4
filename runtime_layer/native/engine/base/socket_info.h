/* What the kernel tells of a socket. */
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
/* Is it one that cannot have IPv6 addresses? */
bool is_of_older_family(int32_t descriptor);
/* The peer of a TCP connection: 0, -ENOTCONN, or an errno for what is no such socket. */
int64_t peer_of_stream(int32_t descriptor, struct endpoint *peer);
/* A socket without a peer, as far as getpeername(2) tells. */
bool is_unconnected(int32_t descriptor);
/* And without one at port 0, which is none there, but what others send is not heard. */
bool has_no_peer(int32_t descriptor);
/* What the kernel tells of a TCP connection (tcp(7), TCP_INFO), and zeroes where it tells no more. Returns how many bytes it
 * told; 0: none, as of what is no TCP socket. */
uint32_t tell_of_connection(int32_t descriptor, struct tcp_info *info);
/* Does a call on it wait, unless it says otherwise? */
bool waits(int32_t descriptor);
/* For how long, in nanoseconds (socket(7)); 0: for ever. */
#define SECOND INT64_C(1000000000)

int64_t longest_wait(int32_t descriptor, int32_t option);

#endif
