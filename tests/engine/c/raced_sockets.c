/* Connections whose first bytes are to be looked at, and what another thread or a signal handler does to their numbers.
 *
 *   raced_sockets KIND PORT [LISTED [SECONDS]]   tries to say evil.example to allowed.example, and prints how many writes
 *                                                of it went well; where it takes luck, for so long
 *   raced_sockets reopen                         prints how many dup2 and writes of honest threads failed
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alarm.h"
#include "hello.h"

enum { FIRST = 10, PIPES = 950, CALLS = 60, MILLISECOND = 1000, SAID = 77 };
static struct sockaddr_in to;

static int says(int descriptor)
{
    return write(descriptor, hello, hello_len) == (ssize_t)hello_len;
}

static int stream(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int connects(int descriptor)
{
    return !connect(descriptor, (struct sockaddr *)&to, sizeof to);
}

static int is_stream(int descriptor)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    return !getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) && protocol == IPPROTO_TCP;
}

static volatile int base = FIRST, copy, laid, target, child, made, go[2];

/* A handler copies a socket that is being made. */
static void copy_it(int signal)
{
    (void)signal;
    if (copy < 0)
        copy = fcntl(base, F_DUPFD, base + 510);
}

static int try_born(void)
{
    int said = 0;
    handle(copy_it);
    for (int i = 0; i < 450; i++) {
        int s = -1;
        copy = -1;
        set_alarm(20 + i % 60);
        for (int k = 0; k < CALLS && copy < 0; k++) {
            close(s);
            s = stream();
        }
        set_alarm(0);
        if (copy >= 0) {
            said += connects(s) && is_stream(copy) && says(copy);
            close(copy);
            dup2(0, s);
            base++;
        } else {
            close(s);
        }
    }
    return said;
}

/* A handler forks while a socket is being made: does the child's memory say so? */
static void fork_at(int descriptor)
{
    char byte;
    if (child || !is_stream(descriptor) || (child = fork()))
        return;
    close(go[1]);
    _exit(read(go[0], &byte, 1) == 1 && says(descriptor) ? SAID : 1);
}

static void fork_at_base(int signal)
{
    (void)signal;
    fork_at(base);
}

static void fork_at_made(int signal)
{
    (void)signal;
    for (int i = FIRST; i < FIRST + 14; i++)
        if (is_stream(i) && i != made) {
            fork_at(i);
            return;
        }
}

static int one_fork(int delay, int *socket)
{
    int status = 0, pair[2];
    *socket = -1;
    if (pipe(pair))
        return 0;
    for (int i = 0; i < 2; i++) {
        go[i] = fcntl(pair[i], F_DUPFD, PIPES);
        close(pair[i]);
    }
    child = 0;
    set_alarm(delay);
    for (int k = 0; k < CALLS && !child; k++) {
        made = -1;
        close(*socket);
        made = *socket = stream();
    }
    set_alarm(0);
    if (child && connects(*socket) && write(go[1], "x", 1) != 1)
        abort();
    close(go[1]);
    if (child)
        waitpid(child, &status, 0);
    close(go[0]);
    return WIFEXITED(status) && WEXITSTATUS(status) == SAID;
}

static int try_forked(void)
{
    int said = 0, s;
    handle(fork_at_base);
    for (int i = 0; i < 450; i++) {
        said += one_fork(20 + i % 60, &s);
        if (child)
            dup2(0, base++);
        else
            close(s);
    }
    return said;
}

/* The same, with threads that take the number which the socket was to get. */
static void *take_numbers(void *unused)
{
    for (;;) {
        int files[4];
        for (int i = 0; i < 4; i++)
            files[i] = open("/dev/null", O_WRONLY);
        for (int i = 0; i < 4; i++)
            if (write(files[i], "x", 1) != 1)
                abort();
        for (int i = 0; i < 4; i++)
            close(files[i]);
    }
    return unused;
}

static int try_taken(int seconds)
{
    int said = 0, s;
    time_t end = time(NULL) + seconds;
    pthread_t threads[2];
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, take_numbers, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    handle(fork_at_made);
    for (int i = 0; time(NULL) < end && !said; i++) {
        said += one_fork(20 + i % 60, &s);
        close(s);
    }
    return said;
}

/* Descriptors are copied before the memory is, where their marks are: another thread takes a mark away in between. */
static volatile int stays;
static int pipes[2];

static void lay_in_turns(void)
{
    dup2(made, target);
    for (volatile int i = 0; i < 300; i++)
        ;
    dup2(pipes[1], target);
    if (write(target, "x", 1) != 1)
        abort();
}

static void *lay_on(void *unused)
{
    char bytes[4096];
    while (!stays) {
        lay_in_turns();
        if (read(pipes[0], bytes, sizeof bytes) < 1)
            abort();
    }
    return unused;
}

/* Where a write is looked at, the call is refused; so the connection lasts until one is not. */
static int is_looked_at(int descriptor)
{
    struct iovec nothing = {0};
    return pwritev2(descriptor, &nothing, 0, -1, 0) != 0;
}

static void make_target(void)
{
    made = stream();
    target = 100;
    if (!connects(made) || pipe(pipes))
        abort();
}

static int try_while_forked(int seconds)
{
    int said = 0, status;
    time_t end = time(NULL) + seconds;
    pthread_t thread;
    make_target();
    pthread_create(&thread, NULL, lay_on, NULL);
    while (time(NULL) < end && !said) {
        pid_t copy = fork();
        if (!copy)
            _exit(is_stream(target) && !is_looked_at(target) && says(target) ? SAID : 1);
        waitpid(copy, &status, 0);
        said += WIFEXITED(status) && WEXITSTATUS(status) == SAID;
    }
    stays = 1;
    pthread_join(thread, NULL);
    return said;
}

/* A vfork child has this memory, and descriptors as they were. */
static volatile int is_there;

static void *lay_once(void *unused)
{
    while (!is_there)
        usleep(MILLISECOND);
    dup2(pipes[1], target);
    if (write(target, "x", 1) != 1)
        abort();
    laid = 1;
    return unused;
}

static int try_vforked(void)
{
    int status;
    pthread_t thread;
    make_target();
    dup2(made, target);
    pthread_create(&thread, NULL, lay_once, NULL);
    pid_t copy = vfork();
    if (!copy) {
        is_there = 1;
        while (!laid)
            usleep(MILLISECOND);
        _exit(says(target) ? SAID : 1);
    }
    pthread_join(thread, NULL);
    waitpid(copy, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == SAID;
}

/* A handler lays a connection over what is being copied. */
static void lay_it(int signal)
{
    (void)signal;
    if (!laid)
        dup2(made, target);
    laid = 1;
}

static int try_laid(void)
{
    int said = 0;
    handle(lay_it);
    for (int i = 0; i < 290; i++) {
        int c = -1;
        target = FIRST + 2 * i;
        dup2(0, target);
        made = stream();
        laid = 0;
        if (connects(made)) {
            set_alarm(15 + i % 40);
            while (!laid) {
                close(c);
                c = fcntl(target, F_DUPFD, 620 + i);
            }
            said += is_stream(c) && says(c);
        }
        close(c);
        close(made);
        dup2(0, target);
    }
    return said;
}

/* A handler replaces the socket that waits to be connected by one that was seen: the kernel begins anew with that. */
static int try_swapped(const char *listed)
{
    struct sockaddr_in other = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int said;
    inet_pton(AF_INET, listed, &other.sin_addr);
    made = fcntl(stream(), F_DUPFD, 100);
    if (connect(made, (struct sockaddr *)&other, sizeof other) || write(made, "x", 1) != 1 ||
        connect(made, &none, sizeof none))
        abort();
    for (int i = 0; i < 6; i++) /* what the other side takes at once is taken */
        connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&to, sizeof to);
    target = stream();
    handle(lay_it);
    set_alarm(200 * MILLISECOND);
    connects(target);
    said = says(made);
    shutdown(made, SHUT_WR);
    usleep(500 * MILLISECOND);
    return said;
}

/* A handler lays a connection under a write that waits, of the only thread: the kernel begins anew with that. */
static int try_under(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        abort();
    target = pair[1];
    made = stream();
    if (!connects(made))
        abort();
    while (send(target, hello, sizeof hello, MSG_DONTWAIT) > 0)
        ;
    handle(lay_it);
    set_alarm(200 * MILLISECOND);
    return says(target);
}

/* Honest: a file is opened anew under its number, while threads write to it. */
static volatile int failed;

static void *write_on(void *unused)
{
    static char bytes[65536];
    for (;;) {
        failed += write(target, bytes, sizeof bytes) < 0;
        lseek(target, 0, SEEK_SET);
    }
    return unused;
}

static int reopen(void)
{
    pthread_t threads[4];
    target = open("/tmp/log", O_CREAT | O_RDWR | O_TRUNC, 0600);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_on, NULL);
    for (int i = 0; i < 15; i++) {
        close(stream()); /* of which a mark is left over */
        int file = open("/tmp/other", O_CREAT | O_RDWR, 0600);
        failed += dup2(file, target) < 0;
        close(file);
        usleep(10 * MILLISECOND);
    }
    return failed;
}

int main(int count, char **words)
{
    const char *kind = words[1];
    struct rlimit limit;
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(kind, "reopen")) {
        printf("%d\n", reopen());
        fflush(stdout);
        _exit(0);
    }
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (count < 3 || getaddrinfo("allowed.example", words[2], &hints, &found))
        return 1;
    memcpy(&to, found->ai_addr, sizeof to);
    make_hello();
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 3; i < FIRST; i++)
        if (fcntl(i, F_GETFD) < 0)
            dup2(0, i);
    int seconds = count > 4 ? atoi(words[4]) : 5;
    int said = !strcmp(kind, "born")           ? try_born()
               : !strcmp(kind, "forked")       ? try_forked()
               : !strcmp(kind, "taken")        ? try_taken(seconds)
               : !strcmp(kind, "while_forked") ? try_while_forked(seconds)
               : !strcmp(kind, "vforked")      ? try_vforked()
               : !strcmp(kind, "laid")         ? try_laid()
               : !strcmp(kind, "under")        ? try_under()
               : count > 3                     ? try_swapped(words[3])
                                               : -1;
    usleep(200 * MILLISECOND);
    printf("%d\n", said);
    fflush(stdout);
    _exit(0);
}
