/* Asks the kernel for facts of a socket. Tests: tests/lab/fuzz/network.c. */
#include "socket_info.h"

#include "linux_abi.h"
#include "raw_syscall.h"

int32_t read_socket_option(int32_t descriptor, int32_t level, int32_t option)
{
    int32_t value = 0;
    uint32_t size = sizeof value;
    int64_t error = KERNEL(getsockopt, descriptor, level, option, &value, &size);
    return error ? (int32_t)error : value;
}

int32_t read_socket_fact(struct socket_facts *socket, enum socket_fact fact)
{
    static const uint8_t options[] = {
        [SOCKET_TYPE] = SO_TYPE, [PROTOCOL] = SO_PROTOCOL, [DOMAIN] = SO_DOMAIN};
    if (!socket->is_read[fact])
        socket->values[fact] = read_socket_option(socket->descriptor, SOL_SOCKET, options[fact]);
    socket->is_read[fact] = true;
    return socket->values[fact];
}

/* TCP or MPTCP, which only the internet families have. */
bool is_tcp(struct socket_facts *socket)
{
    int32_t protocol = read_socket_fact(socket, PROTOCOL);
    return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

bool is_internet_datagram(struct socket_facts *socket)
{
    int32_t protocol = read_socket_fact(socket, PROTOCOL);
    return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

int64_t peer_of_stream(struct socket_facts *socket, struct endpoint *peer)
{
    struct sockaddr_bytes address = {.len = SOCKADDR_MAX};
    int32_t type = read_socket_fact(socket, SOCKET_TYPE);
    if (type != SOCK_STREAM)
        return is_error(type) ? type : -EPROTOTYPE;
    int64_t error = KERNEL(getpeername, socket->descriptor, address.bytes, &address.len);
    if (error)
        return error;
    bool is_internet = endpoint_from_sockaddr(address.bytes, address.len, peer) == SOCKADDR_INET;
    return is_internet ? 0 : -EAFNOSUPPORT;
}

int64_t peer_of_connection(int32_t descriptor, struct endpoint *peer)
{
    struct socket_facts socket = {.descriptor = descriptor};
    return peer_of_stream(&socket, peer);
}

uint32_t read_tcp_info(int32_t descriptor, struct tcp_info *info)
{
    uint32_t size = sizeof *info;
    fill_bytes(info, 0, sizeof *info);
    return KERNEL(getsockopt, descriptor, SOL_TCP, TCP_INFO, info, &size) ? 0 : size;
}

bool is_unconnected(int32_t descriptor)
{
    uint8_t peer[SOCKADDR_MAX];
    uint32_t size = sizeof peer;
    return KERNEL(getpeername, descriptor, peer, &size) == -ENOTCONN;
}

/* A connected socket has a route to its peer, whose MTU the kernel knows. */
bool has_no_peer(int32_t descriptor)
{
    return is_unconnected(descriptor) && is_error(read_socket_option(descriptor, SOL_IP, IP_MTU)) &&
           is_error(read_socket_option(descriptor, SOL_IPV6, IPV6_MTU));
}
