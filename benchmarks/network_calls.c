/* Calls to the servers of servers.py, by name: the shield judges the lookup, learns the address from the answer, and
 * judges the connection by that. Names and ports are those of network.py.
 */
#define _GNU_SOURCE
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DENIED_NAME "denied.bench.example"

/* What every function has done before it serves; some calls are watched only until then. */
static void ask_for_an_event(void)
{
    static const char next[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    static int asked;
    if (asked)
        return;
    asked = 1;
    int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(sink >= 0 && write(sink, next, sizeof next - 1) > 0, "/dev/null");
    close(sink);
}

struct sockaddr_in resolve(const char *name, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    struct sockaddr_in address;
    ask_for_an_event();
    must(getaddrinfo(name, port, &hints, &found) == 0, name);
    memcpy(&address, found->ai_addr, sizeof address);
    freeaddrinfo(found);
    return address;
}

/* Each has an address of its own. */
void learn_names(long count)
{
    char name[64];
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "n-%ld.learned.example", i);
        resolve(name, "443");
    }
}

/* The service's address is this host's own: the connections end here, as those of connect_tcp do, so that one
 * process does all the work. */
uint64_t time_connect_by_name(long count)
{
    struct sockaddr_in address = resolve(NAME, "0");
    uint64_t spent = 0;
    int listener = bound_socket(SOCK_STREAM, &address);
    for (long i = 0; i < count; i++)
        spent += connect_once(listener, &address, 1);
    close(listener);
    return spent;
}

uint64_t time_lookup(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        resolve(NAME, "443");
    return now() - began;
}

/* Unshielded, the name server says that there is no such name. */
uint64_t time_denied_lookup(long count)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    ask_for_an_event();
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        must(getaddrinfo(DENIED_NAME, "443", &hints, &found) == EAI_NONAME, "getaddrinfo " DENIED_NAME);
    return now() - began;
}

/* One connection that is kept; to make it is not timed. The answer is short and comes in one piece. */
uint64_t time_http_bare(long count)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: " NAME "\r\n\r\n";
    static int fd = -1;
    char answer[4096];
    if (fd < 0) {
        struct sockaddr_in address = resolve(NAME, "80");
        int one = 1;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect to " NAME);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        must(send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1, "send");
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        must(got > 2 && memcmp(answer + got - 2, "ok", 2) == 0, "the answer");
    }
    return now() - began;
}
