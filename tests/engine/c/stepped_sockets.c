/* What becomes of a socket between two instructions of a call on it. The trap flag of x86_64 stops a thread in front of the
 * call's own instruction or behind it, and other threads go on meanwhile; nothing else is changed.
 *
 *   stepped_sockets KIND PORT NAME_SERVER FURTHER
 *     reset, copied, settled, born, listening, laid, written, told, orphan, heir
 *                           try to say evil.example to allowed.example, and print how many writes of it went well; at the
 *                           port FURTHER the server resets each connection on which something came
 *     closed                a file is closed while another thread is handing it over: prints whether that went well
 *     asked                 tries to ask the name server for FURTHER as if that were plain bytes
 *     answered              tries to be told by an answer of its own, made on loopback, that allowed.example is at
 *                           FURTHER; prints what it received, and whether it may connect there
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "hello.h"

enum { TRAPS = 0x100, SYSCALL = 0x050f, MILLISECOND = 1000, PATIENCE = 5000, DNS = 53 };

/* A thread's stops. */
struct stop {
    bool (*is_here)(const greg_t *call); /* NULL: right behind the one before */
    void (*act)(void);                   /* NULL: there are no more */
};
struct stopped {
    volatile int at, gone; /* how many stops it has come to, and left */
    volatile bool is_over;
};
static __thread const struct stop *next;
static __thread struct stopped *self;

static void wait_a_little(void)
{
    usleep(MILLISECOND);
}

static void step(int number, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint16_t code;
    (void)number, (void)info;
    memcpy(&code, (void *)g[REG_RIP], sizeof code);
    if (next->act && (next->is_here ? code == SYSCALL && next->is_here(g) : true))
        (next++)->act();
    if (next->act)
        g[REG_EFL] |= TRAPS;
    else
        g[REG_EFL] &= ~TRAPS;
}

static void stop_at(const struct stop *stops)
{
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    next = stops;
    raise(SIGTRAP);
}

static void no_more_stops(void)
{
    static const struct stop none[1];
    next = none;
}

/* What a thread does at a stop. */
static void wait_here(void)
{
    int here = ++self->at;
    while (self->gone < here)
        wait_a_little();
}

/* And what another does with it. */
static bool comes_to(const struct stopped *thread, int at)
{
    for (int i = 0; i < PATIENCE && thread->at < at && !thread->is_over; i++)
        wait_a_little();
    return thread->at >= at;
}

static void let_go(struct stopped *thread)
{
    thread->gone++;
}

static struct sockaddr_in to, to_resets, name_server;
static int made = -1, target = -1;
static int said;

static int stream(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static int connects(int descriptor, const struct sockaddr_in *where)
{
    return connect(descriptor, (const struct sockaddr *)where, sizeof *where);
}

static void disconnect(int descriptor)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(descriptor, &none, sizeof none);
}

static bool says(int descriptor)
{
    return send(descriptor, hello, hello_len, 0) == (ssize_t)hello_len;
}

static int state_of(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

static bool becomes(int descriptor, int state)
{
    for (int i = 0; i < PATIENCE && state_of(descriptor) != state; i++)
        wait_a_little();
    return state_of(descriptor) == state;
}

static int connected(const struct sockaddr_in *where)
{
    int descriptor = stream();
    connects(descriptor, where);
    if (!becomes(descriptor, TCP_ESTABLISHED))
        abort();
    return descriptor;
}

/* A socket that the other side reset. The first call tells how the connection before ended. */
static bool is_connected_anew(int descriptor, const struct sockaddr_in *where)
{
    if (!becomes(descriptor, TCP_CLOSE))
        return false;
    for (int i = 0; i < 3 && connects(descriptor, where) && errno != EINPROGRESS; i++)
        ;
    return becomes(descriptor, TCP_ESTABLISHED);
}

static bool is_send(const greg_t *call)
{
    return call[REG_RAX] == SYS_sendto;
}

static bool is_connect(const greg_t *call)
{
    return call[REG_RAX] == SYS_connect;
}

static bool is_copy(const greg_t *call)
{
    return (call[REG_RAX] == SYS_dup || call[REG_RAX] == SYS_dup3) && call[REG_RDI] == target;
}

static bool is_look(const greg_t *call)
{
    return call[REG_RAX] == SYS_recvmsg && call[REG_RDX] & MSG_PEEK;
}

static bool is_taking(const greg_t *call)
{
    return call[REG_RAX] == SYS_recvmsg && !(call[REG_RDX] & MSG_PEEK);
}

/* The thread that makes the call. */
struct caller {
    const struct stop *stops;
    void (*call)(void);
    struct stopped state;
    pthread_t thread;
};

static void *make_call(void *of)
{
    struct caller *caller = of;
    self = &caller->state;
    stop_at(caller->stops);
    caller->call();
    no_more_stops();
    caller->state.is_over = true;
    return NULL;
}

static void start(struct caller *caller)
{
    pthread_create(&caller->thread, NULL, make_call, caller);
}

static void end(struct caller *caller)
{
    caller->state.gone += 100;
    pthread_join(caller->thread, NULL);
}

static void connect_it(void)
{
    connects(made, &to);
}

static const struct stop around_connect[] = {{is_connect, wait_here}, {NULL, wait_here}, {0}};

/* Plain bytes are written; before it is known that they left, the connection is reset and made anew. */
static void write_plainly(void)
{
    send(made, "GET / HTTP/1.0\r\n\r\n", 18, 0);
}

static void try_reset(void)
{
    static const struct stop stops[] = {{is_send, wait_here}, {NULL, wait_here}, {0}};
    struct caller writer = {stops, write_plainly, {0}, 0};
    made = connected(&to_resets);
    start(&writer);
    comes_to(&writer.state, 1);
    let_go(&writer.state);
    comes_to(&writer.state, 2);
    is_connected_anew(made, &to);
    end(&writer);
    said += says(made);
}

/* A number becomes the socket's in the midst of being copied, and the socket is connected by a call that was judged before:
 * the copy has no mark of that. */
static int copy;

static void copy_target(void)
{
    copy = dup(target);
}

static void try_copied(void)
{
    static const struct stop stops[] = {{is_copy, wait_here}, {0}};
    struct caller connector = {around_connect, connect_it, {0}, 0}, copier = {stops, copy_target, {0}, 0};
    made = stream();
    target = open("/dev/null", O_RDONLY);
    start(&connector);
    comes_to(&connector.state, 1);
    disconnect(made);
    start(&copier);
    comes_to(&copier.state, 1);
    dup2(made, target);
    end(&copier);
    let_go(&connector.state);
    comes_to(&connector.state, 2);
    said += copy >= 0 && becomes(copy, TCP_ESTABLISHED) && says(copy);
    end(&connector);
}

/* A number is copied over another; its mark goes in the midst of that, as first bytes leave, and it becomes another socket's
 * then. */
static int place;

static bool asks_what_it_is(const greg_t *call)
{
    return call[REG_RAX] == SYS_getsockopt && call[REG_RDI] == target && call[REG_RDX] == SO_PROTOCOL;
}

static bool is_copy_over(const greg_t *call)
{
    return (call[REG_RAX] == SYS_dup2 || call[REG_RAX] == SYS_dup3) && call[REG_RDI] == target;
}

static void copy_over_place(void)
{
    dup2(target, place);
}

static void try_settled(void)
{
    static const struct stop stops[] = {{asks_what_it_is, wait_here}, {is_copy_over, wait_here}, {0}};
    struct caller copier = {stops, copy_over_place, {0}, 0};
    place = open("/dev/null", O_RDONLY);
    target = connected(&to);
    made = connected(&to);
    start(&copier);
    comes_to(&copier.state, 1);
    if (write(target, "x", 1) != 1)
        abort();
    let_go(&copier.state);
    comes_to(&copier.state, 2);
    dup2(made, target);
    end(&copier);
    said += says(place);
}

/* The number that a socket was to get is taken in the midst of socket(): the one that it gets has no mark, and is connected. */
static bool is_socket(const greg_t *call)
{
    return call[REG_RAX] == SYS_socket;
}

static void make_it(void)
{
    close(stream());
}

static bool is_stream(int descriptor)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    return !getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) && protocol == IPPROTO_TCP;
}

static void try_born(void)
{
    enum { NUMBERS = 50 };
    static const struct stop stops[] = {{is_socket, wait_here}, {NULL, wait_here}, {0}};
    struct caller maker = {stops, make_it, {0}, 0};
    start(&maker);
    comes_to(&maker.state, 1);
    close(connected(&to)); /* whose mark is left over on numbers of the gate's own */
    open("/dev/null", O_RDONLY);
    let_go(&maker.state);
    comes_to(&maker.state, 2);
    for (made = 0; made < NUMBERS && !is_stream(made); made++)
        ;
    if (made == NUMBERS)
        abort();
    connects(made, &to);
    said += becomes(made, TCP_ESTABLISHED) && says(made);
    end(&maker);
}

/* A socket is to listen, and is connected before that is written down of it (watched.h). */
static bool writes_down(const greg_t *call)
{
    return call[REG_RAX] == SYS_setsockopt && call[REG_RSI] == SOL_SOCKET && call[REG_RDX] == SO_LOCK_FILTER;
}

static bool writes_down_more(const greg_t *call)
{
    return call[REG_RAX] == SYS_setsockopt && call[REG_RSI] == SOL_SOCKET && call[REG_RDX] == SO_NOFCS;
}

static void let_listen(void)
{
    listen(made, 1);
}

static void try_listening(void)
{
    static const struct stop stops[] = {
        {writes_down, wait_here}, {writes_down_more, wait_here}, {NULL, wait_here}, {0}};
    struct caller listener = {stops, let_listen, {0}, 0};
    made = stream();
    start(&listener);
    comes_to(&listener.state, 1);
    connects(made, &to);
    becomes(made, TCP_ESTABLISHED);
    let_go(&listener.state);
    if (comes_to(&listener.state, 2)) {
        let_go(&listener.state);
        comes_to(&listener.state, 3);
    }
    said += says(made);
    end(&listener);
}

/* The only thread: a handler lays a socket that had a connection under one that is about to be connected. */
static void lay_it(void)
{
    dup2(made, target);
}

static void say_it(void)
{
    said += becomes(made, TCP_ESTABLISHED) && says(made);
}

static void try_laid(void)
{
    static const struct stop stops[] = {{is_connect, lay_it}, {NULL, say_it}, {0}};
    made = connected(&to_resets);
    write_plainly();
    becomes(made, TCP_CLOSE);
    disconnect(made);
    target = stream();
    stop_at(stops);
    connects(target, &to);
    no_more_stops();
}

/* The only thread: a handler lays a connection on which nothing was said where one was written to, or is told to listen, as
 * that is written down. */
static int other;

static bool looks_at_target(const greg_t *call)
{
    return call[REG_RAX] == SYS_getsockopt && call[REG_RDI] == target && call[REG_RSI] == IPPROTO_TCP;
}

static void lay_other(void)
{
    dup2(other, target);
}

static void make_silent(void)
{
    made = connected(&to);
    listen(made, 1); /* that it gets no other connection is written down */
}

static void try_written(void)
{
    static const struct stop stops[] = {{writes_down_more, lay_it}, {0}};
    make_silent();
    target = connected(&to);
    stop_at(stops);
    send(target, "GET / HTTP/1.0\r\n\r\n", 18, 0);
    no_more_stops();
    said += says(made);
}

static void try_told(void)
{
    static const struct stop stops[] = {{writes_down_more, lay_it}, {looks_at_target, lay_other}, {0}};
    make_silent();
    target = stream();
    other = stream();
    stop_at(stops);
    listen(target, 1);
    no_more_stops();
    said += says(made);
}

/* The call that makes a child is judged, and a handler at its instruction makes another, which goes on with it. That one is
 * killed by its own child: then the first process, which waited, goes on beside that. */
static char stack[1 << 16] __attribute__((aligned(64)));
static int pipes[2];
static volatile int is_laid, answer;

static bool is_clone(const greg_t *call)
{
    return call[REG_RAX] == SYS_clone;
}

static int say_as_orphan(void *unused)
{
    (void)unused;
    kill(getppid(), SIGKILL);
    while (!is_laid)
        wait_a_little();
    answer = says(target) ? 1 : -1;
    _exit(0);
}

static void make_orphan(void)
{
    clone(say_as_orphan, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

static void let_a_child_go_on(void)
{
    if (!vfork())
        return;
    dup2(pipes[1], target);
    if (write(target, "x", 1) != 1)
        abort();
    is_laid = 1;
    while (!answer)
        wait_a_little();
    printf("%d\n", answer == 1);
    fflush(stdout);
    _exit(0);
}

static void try_orphan(void)
{
    static const struct stop stops[] = {{is_clone, let_a_child_go_on}, {0}};
    target = connected(&to);
    if (pipe(pipes))
        abort();
    stop_at(stops);
    make_orphan();
}

/* The same, but the handler forks, and the copy goes on with the call: its child is the first that asks in that memory. */
enum { SAID = 77 };
static volatile bool is_the_copy;

static void let_a_copy_go_on(void)
{
    is_the_copy = !syscall(SYS_fork);
}

static int lay_in_copy(void *unused)
{
    (void)unused;
    if (is_the_copy && (dup2(pipes[1], target) != target || write(target, "x", 1) != 1))
        abort();
    _exit(0);
}

static void try_heir(void)
{
    static const struct stop stops[] = {{is_clone, let_a_copy_go_on}, {0}};
    int status;
    target = connected(&to);
    if (pipe(pipes))
        abort();
    stop_at(stops);
    clone(lay_in_copy, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    if (is_the_copy)
        _exit(says(target) ? SAID : 1);
    while (wait(&status) > 0)
        said += WIFEXITED(status) && WEXITSTATUS(status) == SAID;
}

/* A file is handed over, and closed by another thread before that call is over. */
static int pair[2];
static volatile bool was_closed;

static bool is_message(const greg_t *call)
{
    return call[REG_RAX] == SYS_sendmsg;
}

static void hand_over(void)
{
    char byte = 'x', control[CMSG_SPACE(sizeof target)] = {0};
    struct iovec bytes = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&m);
    *rights = (struct cmsghdr){CMSG_LEN(sizeof target), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), &target, sizeof target);
    sendmsg(pair[0], &m, 0);
}

static void *close_target(void *unused)
{
    was_closed = !close(target);
    return unused;
}

static void try_closed(void)
{
    static const struct stop stops[] = {{is_message, wait_here}, {NULL, wait_here}, {0}};
    struct caller sender = {stops, hand_over, {0}, 0};
    pthread_t closer;
    target = open("/proc/self/exe", O_RDONLY);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        abort();
    start(&sender);
    comes_to(&sender.state, 1);
    let_go(&sender.state);
    comes_to(&sender.state, 2);
    pthread_create(&closer, NULL, close_target, NULL);
    usleep(200 * MILLISECOND);
    end(&sender);
    pthread_join(closer, NULL);
    said += was_closed;
}

/* Questions as they are sent over TCP, with their length in front. */
static uint8_t query[300], forged[512];
static size_t query_len, forged_len;

static void make_query(const char *name)
{
    uint8_t head[] = {0, 0, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, tail[] = {0, 0, 1, 0, 1};
    uint8_t *end = put(query, head, sizeof head);
    for (const char *dot; *name; name = dot + (*dot == '.')) {
        dot = strchrnul(name, '.');
        *end++ = (uint8_t)(dot - name);
        end = put(end, name, (size_t)(dot - name));
    }
    end = put(end, tail, sizeof tail);
    query_len = (size_t)(end - query);
    query[1] = (uint8_t)(query_len - 2);
}

static void connect_to_name_server(void)
{
    connects(made, &name_server);
}

static void write_query(void)
{
    send(made, query, query_len, 0);
}

static void try_asked(const char *name)
{
    static const struct stop stops[] = {{is_send, wait_here}, {0}};
    struct caller connector = {around_connect, connect_to_name_server, {0}, 0},
                  writer = {stops, write_query, {0}, 0};
    make_query(name);
    made = connected(&to);
    start(&connector);
    comes_to(&connector.state, 1);
    start(&writer);
    comes_to(&writer.state, 1);
    disconnect(made);
    let_go(&connector.state);
    comes_to(&connector.state, 2);
    said += becomes(made, TCP_ESTABLISHED);
    end(&writer);
    usleep(300 * MILLISECOND);
    end(&connector);
}

/* A thread receives; at four places of that call the other side resets the connection, and the other thread makes the next
 * one: to loopback, where the forged answer waits, when the bytes are looked at and when they are taken, and to the name
 * server when it is asked who said them. */
static struct sockaddr_in ourselves = {.sin_family = AF_INET};
static int listener, peer;
static bool is_forged;

static void receive(void)
{
    uint8_t got[sizeof forged];
    ssize_t len = recv(made, got, forged_len, 0);
    is_forged = len == (ssize_t)forged_len && !memcmp(got, forged, forged_len);
}

static void to_ourselves(void)
{
    int waiting = 0;
    if (!is_connected_anew(made, &ourselves))
        return;
    peer = accept(listener, NULL, NULL);
    if (write(peer, forged, forged_len) < 0)
        return;
    for (int i = 0; i < PATIENCE && !ioctl(made, FIONREAD, &waiting) && waiting != (int)forged_len; i++)
        wait_a_little();
}

static void to_name_server(void)
{
    struct linger at_once = {1, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    is_connected_anew(made, &name_server);
}

/* Unseen, so that as many bytes were taken of this connection as are counted. */
static void take_an_answer(void)
{
    uint8_t unseen[sizeof forged];
    struct iovec place = {unseen, forged_len};
    int waiting = 0;
    write_query();
    for (int i = 0; i < PATIENCE && !ioctl(made, FIONREAD, &waiting) && waiting < (int)forged_len; i++)
        wait_a_little();
    preadv2(made, &place, 1, -1, 0);
}

/* As the name server answers, but for the address. */
static bool make_answer(struct in_addr address)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connects(s, &name_server) || send(s, query, query_len, 0) != (ssize_t)query_len ||
        recv(s, forged, 2, MSG_WAITALL) != 2)
        return false;
    forged_len = (size_t)(2 + (forged[0] << 8 | forged[1]));
    bool is_whole = recv(s, forged + 2, forged_len - 2, MSG_WAITALL) == (ssize_t)forged_len - 2;
    close(s);
    memcpy(forged + forged_len - sizeof address, &address, sizeof address);
    return is_whole;
}

static void try_answered(const char *address)
{
    static const struct stop stops[] = {
        {is_look, wait_here}, {NULL, wait_here}, {is_taking, wait_here}, {NULL, wait_here}, {0}};
    void (*const flips[])(void) = {to_ourselves, to_name_server, to_ourselves, to_name_server};
    struct caller receiver = {stops, receive, {0}, 0};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = to.sin_port};
    socklen_t len = sizeof ourselves;
    inet_pton(AF_INET, address, &there.sin_addr);
    ourselves.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    make_query("allowed.example");
    if (!make_answer(there.sin_addr) || bind(listener, (struct sockaddr *)&ourselves, len) ||
        listen(listener, 5) || getsockname(listener, (struct sockaddr *)&ourselves, &len))
        abort();
    made = connected(&name_server);
    start(&receiver);
    for (int i = 0; i < 4 && comes_to(&receiver.state, i + 1); i++) {
        flips[i]();
        if (i == 3)
            take_an_answer();
        let_go(&receiver.state);
    }
    end(&receiver);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    printf("%s %s\n", is_forged ? "forged" : "other", connects(s, &there) ? "refused" : "connected");
}

int main(int count, char **words)
{
    if (count < 4)
        return 1;
    const char *kind = words[1], *further = words[count - 1];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo("allowed.example", words[2], &hints, &found))
        return 1;
    memcpy(&to, found->ai_addr, sizeof to);
    to_resets = to;
    to_resets.sin_port = htons((uint16_t)atoi(further));
    name_server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(DNS)};
    inet_pton(AF_INET, words[3], &name_server.sin_addr);
    make_hello();
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(kind, "answered")) {
        try_answered(further);
    } else {
        !strcmp(kind, "reset")       ? try_reset()
        : !strcmp(kind, "copied")    ? try_copied()
        : !strcmp(kind, "settled")   ? try_settled()
        : !strcmp(kind, "born")      ? try_born()
        : !strcmp(kind, "laid")      ? try_laid()
        : !strcmp(kind, "written")   ? try_written()
        : !strcmp(kind, "told")      ? try_told()
        : !strcmp(kind, "orphan")    ? try_orphan()
        : !strcmp(kind, "heir")      ? try_heir()
        : !strcmp(kind, "closed")    ? try_closed()
        : !strcmp(kind, "listening") ? try_listening()
                                     : try_asked(further);
        usleep(200 * MILLISECOND);
        printf("%d\n", said);
    }
    fflush(stdout);
    _exit(0);
}
