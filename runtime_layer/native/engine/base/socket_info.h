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

/* A number, which is never negative, or an errno. */
int32_t read_socket_option(int32_t descriptor, int32_t level, int32_t option);

/* The facts that a socket keeps: each is read once, when a judge first needs it. For one call or message, as another file may
 * get the number later. */
enum socket_fact { SOCKET_TYPE, PROTOCOL, DOMAIN, SOCKET_FACTS };
struct socket_facts {
    int32_t descriptor;
    bool is_read[SOCKET_FACTS];
    int32_t values[SOCKET_FACTS]; /* or an errno */
};
int32_t read_socket_fact(struct socket_facts *socket, enum socket_fact fact);
bool is_tcp(struct socket_facts *socket);
/* UDP, or UDP-Lite, of the internet's families. */
bool is_internet_datagram(struct socket_facts *socket);
/* The peer of a TCP connection. 0, -ENOTCONN, or an errno for another file. */
int64_t peer_of_stream(struct socket_facts *socket, struct endpoint *peer);
/* The same, with facts read now. */
int64_t peer_of_connection(int32_t descriptor, struct endpoint *peer);
/* Whether getpeername(2) finds no peer. */
bool is_unconnected(int32_t descriptor);
/* The same, also for port 0: getpeername(2) does not find such a peer, but the socket receives only its datagrams. */
bool has_no_peer(int32_t descriptor);
/* Reads TCP_INFO of a connection (tcp(7)), and clears the rest of `info`. Returns the number of bytes read; 0 for another
 * file. */
uint32_t read_tcp_info(int32_t descriptor, struct tcp_info *info);

#endif
