/* UDP sockets that go by the number of a connection whose first bytes are to be looked at. Prints how many writes of
 * evil.example to allowed.example went well.
 *
 *   turned_marks connected PORT    a child that shares the memory has such a socket, connects it to the name server, and the
 *                                  parent writes by a copy
 *   turned_marks asked PORT        the same; it asks by it
 *   turned_marks laid_over PORT    the same as connected; the copy is laid over something else
 *   turned_marks by_message PORT   the same, with threads, by a message with control data
 *   turned_marks by_thread PORT    the same, of a thread with descriptors of its own
 *   turned_marks meanwhile PORT    a thread connects the number to the name server while a connection is laid over it
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hello.h"

enum {
    LAID = 40,
    OTHER = 77,
    TIMES = 10,
    MILLISECOND = 1000,
    STACK = 1 << 16,
    MUCH = 70000,
    GATES_LEAST = 100,
    GATES = 8
};
static struct sockaddr_in to, name_server;
static const char *how;
static int connection;
static char stack[STACK] __attribute__((aligned(64)));

static int connects(int descriptor, const struct sockaddr_in *address)
{
    return !connect(descriptor, (const struct sockaddr *)address, sizeof *address);
}

static int says(int descriptor)
{
    return write(descriptor, hello, hello_len) == (ssize_t)hello_len;
}

static int says_with_control(int descriptor)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL}};
    const int ttl = 64;
    memcpy(CMSG_DATA(&control.header), &ttl, sizeof ttl);
    struct iovec v = {hello, hello_len};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    return sendmsg(descriptor, &m, 0) == (ssize_t)hello_len;
}

static void ask(int descriptor)
{
    static const uint8_t query[] =
        "\0\7\1\0\0\1\0\0\0\0\0\0\7allowed\7example\0\0\1\0"; /* and a zero behind it: */
    uint8_t whole[sizeof query];
    memcpy(whole, query, sizeof query);
    whole[sizeof query - 1] = 1; /* class IN */
    if (sendto(descriptor, whole, sizeof whole, 0, (struct sockaddr *)&name_server, sizeof name_server) < 0)
        abort();
}

static void turn(void)
{
    close(connection);
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    if (datagrams != connection)
        dup2(datagrams, connection);
    if (!strcmp(how, "asked"))
        ask(connection);
    else if (!connects(connection, &name_server))
        abort();
}

static int turn_in_child(void *unused)
{
    (void)unused;
    turn();
    _exit(0);
}

static volatile int turned, laid, begun;

static int turn_in_thread(void *unused)
{
    (void)unused;
    turn();
    turned = 1;
    for (;;)
        pause();
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static int try_turned(void)
{
    pthread_t thread;
    if (!strncmp(how, "by_", 3))
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (!connects(connection, &to))
        abort();
    const int own = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_SYSVSEM;
    if (!strcmp(how, "by_thread")) {
        if (clone(turn_in_thread, stack + STACK, own, NULL) < 0)
            abort();
        while (!turned)
            usleep(MILLISECOND);
    } else if (clone(turn_in_child, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL) < 0) {
        abort();
    }
    if (!strncmp(how, "by_", 3)) { /* a mark that was left on a number of the gate's own would save it */
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int i = GATES_LEAST; i < GATES_LEAST + GATES; i++)
            dup2(nothing, i);
        return says_with_control(connection);
    }
    return says(strcmp(how, "laid_over") ? dup(connection) : dup2(connection, OTHER));
}

static void *write_much(void *unused)
{
    static char much[MUCH];
    begun = 1;
    if (write(LAID, much, MUCH) != MUCH) /* more than a pipe takes */
        abort();
    return unused;
}

static void *lay(void *unused)
{
    laid = dup2(connection, LAID) == LAID;
    return unused;
}

static int lay_meanwhile(void)
{
    static char much[MUCH];
    pthread_t writer, layer;
    int ends[2], datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    begun = laid = 0;
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (pipe(ends) || dup2(ends[1], LAID) != LAID || !connects(connection, &to))
        abort();
    pthread_create(&writer, NULL, write_much, NULL);
    while (!begun)
        usleep(MILLISECOND);
    usleep(3 * MILLISECOND);
    dup2(datagrams, LAID);
    pthread_create(&layer, NULL, lay, NULL);
    usleep(2 * MILLISECOND);
    connects(LAID, &name_server);
    for (ssize_t n, all = 0; all < MUCH; all += n)
        if ((n = read(ends[0], much, sizeof much)) <= 0)
            abort();
    pthread_join(layer, NULL);
    pthread_join(writer, NULL);
    int said = laid && says(LAID);
    close(connection);
    close(datagrams);
    close(ends[0]);
    close(ends[1]);
    close(LAID);
    return said;
}

int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (argc < 3 || getaddrinfo("allowed.example", argv[2], &hints, &found))
        return 2;
    memcpy(&to, found->ai_addr, sizeof to);
    name_server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, "169.254.78.1", &name_server.sin_addr);
    how = argv[1];
    make_hello();
    signal(SIGPIPE, SIG_IGN);
    bool takes_luck = !strcmp(how, "meanwhile");
    int said = takes_luck ? 0 : try_turned();
    for (int i = 0; takes_luck && i < TIMES && !said; i++)
        said += lay_meanwhile();
    printf("%d\n", said);
    fflush(stdout);
    _exit(0);
}
