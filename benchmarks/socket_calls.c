/* Sockets and descriptors, over loopback. */
#define _GNU_SOURCE
#include "calls.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int bound_socket(int type, struct sockaddr_in *address)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *address;
    must(fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0, "bind");
    must(type != SOCK_STREAM || listen(fd, 8) == 0, "listen");
    must(getsockname(fd, (struct sockaddr *)address, &len) == 0, "getsockname");
    return fd;
}

static struct sockaddr_in loopback(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

uint64_t connect_once(int listener, const struct sockaddr_in *address, int timed_too)
{
    struct linger reset = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    uint64_t began = now();
    int connected = connect(fd, (const struct sockaddr *)address, sizeof *address);
    uint64_t spent = now() - began;
    must(connected == 0, "connect");
    int other = accept(listener, NULL, NULL);
    must(other >= 0, "accept");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(other);
    if (!timed_too)
        return close(fd), spent;
    began = now();
    close(fd);
    return spent + now() - began;
}

/* Only connect itself is timed, each on a new socket, as applications do it. */
uint64_t time_connect_tcp(long count)
{
    struct sockaddr_in address = loopback();
    uint64_t spent = 0;
    int listener = bound_socket(SOCK_STREAM, &address);
    for (long i = 0; i < count; i++)
        spent += connect_once(listener, &address, 0);
    close(listener);
    return spent;
}

uint64_t time_connect_udp(long count)
{
    struct sockaddr_in address = loopback();
    uint64_t spent = 0;
    int other = bound_socket(SOCK_DGRAM, &address);
    for (long i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        uint64_t began = now();
        int connected = connect(fd, (struct sockaddr *)&address, sizeof address);
        spent += now() - began;
        must(connected == 0, "connect to loopback");
        close(fd);
    }
    close(other);
    return spent;
}

uint64_t time_socket_close(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        close(fd);
    }
    return now() - began;
}

uint64_t time_dup_close(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        int fd = dup(STDERR_FILENO);
        must(fd >= 0, "dup");
        close(fd);
    }
    return now() - began;
}
