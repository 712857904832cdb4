/* Connections to the servers of test_stepped.py, and what its programs have in common. Each is started as
 *
 *   PROGRAM KIND PORT NAME_SERVER FURTHER
 *
 * and prints how many writes of evil.example to allowed.example, or whatever else it tries, went well. */
#ifndef STEPPED_PEERS_H
#define STEPPED_PEERS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "hello.h"
#include "stepping.h"

enum { DNS = 53 };

static struct sockaddr_in to, to_resets, name_server;
static int made = -1, target = -1;
static int said;
static const char *further;

static inline int stream(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static inline int connects(int descriptor, const struct sockaddr_in *where)
{
    return connect(descriptor, (const struct sockaddr *)where, sizeof *where);
}

static inline void disconnect(int descriptor)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(descriptor, &none, sizeof none);
}

static inline bool says(int descriptor)
{
    return send(descriptor, hello, hello_len, 0) == (ssize_t)hello_len;
}

static inline int state_of(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

static inline bool becomes(int descriptor, int state)
{
    for (int i = 0; i < PATIENCE && state_of(descriptor) != state; i++)
        wait_a_little();
    return state_of(descriptor) == state;
}

static inline int connected(const struct sockaddr_in *where)
{
    int descriptor = stream();
    connects(descriptor, where);
    if (!becomes(descriptor, TCP_ESTABLISHED))
        abort();
    return descriptor;
}

/* A socket that the other side reset. The first call tells how the connection before ended. */
static inline bool is_connected_anew(int descriptor, const struct sockaddr_in *where)
{
    if (!becomes(descriptor, TCP_CLOSE))
        return false;
    for (int i = 0; i < 3 && connects(descriptor, where) && errno != EINPROGRESS; i++)
        ;
    return becomes(descriptor, TCP_ESTABLISHED);
}

static inline bool is_send(const greg_t *call)
{
    return call[REG_RAX] == SYS_sendto;
}

static inline bool is_connect(const greg_t *call)
{
    return call[REG_RAX] == SYS_connect;
}

static inline void report(void)
{
    printf("%d\n", said);
    fflush(stdout);
    _exit(0);
}

struct kind {
    const char *name;
    void (*attempt)(void);
};

/* The last kind has no name. At the port FURTHER the server resets each connection on which something came. */
static inline int attempt(const struct kind *kinds, int count, char **words)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (count != 5 || getaddrinfo("allowed.example", words[2], &hints, &found))
        return 1;
    further = words[4];
    memcpy(&to, found->ai_addr, sizeof to);
    to_resets = to;
    to_resets.sin_port = htons((uint16_t)atoi(further));
    name_server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(DNS)};
    inet_pton(AF_INET, words[3], &name_server.sin_addr);
    make_hello();
    signal(SIGPIPE, SIG_IGN);
    while (kinds->name && strcmp(kinds->name, words[1]))
        kinds++;
    if (!kinds->name)
        return 1;
    kinds->attempt();
    usleep(200 * MILLISECOND);
    report();
    return 0;
}

#endif
