/* Asks the kernel for facts of a socket. Tests: tests/lab/fuzz/network.c. */
#include "socket_info.h"

#include "linux_abi.h"
#include "raw_syscall.h"

static int64_t read_option(int32_t descriptor, int32_t level, int32_t option, int32_t *value)
{
    uint32_t size = sizeof *value;
    return KERNEL(getsockopt, descriptor, level, option, value, &size);
}

int64_t socket_type(int32_t descriptor)
{
    int32_t type = 0;
    int64_t error = read_option(descriptor, SOL_SOCKET, SO_TYPE, &type);
    return error ? error : type;
}

bool is_internet_datagram(int32_t descriptor)
{
    int32_t protocol = 0;
    read_option(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol);
    return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

int64_t peer_of_stream(int32_t descriptor, struct endpoint *peer)
{
    struct sockaddr_bytes address = {.len = SOCKADDR_MAX};
    int64_t type = socket_type(descriptor);
    if (type != SOCK_STREAM)
        return is_error(type) ? type : -EPROTOTYPE;
    int64_t error = KERNEL(getpeername, descriptor, address.bytes, &address.len);
    if (error)
        return error;
    bool is_internet = endpoint_from_sockaddr(address.bytes, address.len, peer) == SOCKADDR_INET;
    return is_internet ? 0 : -EAFNOSUPPORT;
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
    int32_t units;
    return is_unconnected(descriptor) && is_error(read_option(descriptor, SOL_IP, IP_MTU, &units)) &&
           is_error(read_option(descriptor, SOL_IPV6, IPV6_MTU, &units));
}

bool is_ipv4_socket(int32_t descriptor)
{
    int32_t domain = 0;
    return !read_option(descriptor, SOL_SOCKET, SO_DOMAIN, &domain) && domain == AF_INET;
}
