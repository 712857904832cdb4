/* What becomes of a socket between two instructions of a call on it, when other threads or a signal handler do something to
 * its number then (stepping.h).
 *
 *   reset, copied, settled, born, listening, laid, written, told, turned, overlaid,
 *   duplicated
 *           try to say evil.example to allowed.example
 *   closed  a file is closed while another thread is handing it over: prints whether that went well
 *   reused  a file is handed over that has the number of one which another thread is just closing: the same
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include "stepped_peers.h"

static bool is_copy(const greg_t *call)
{
    return (call[REG_RAX] == SYS_dup || call[REG_RAX] == SYS_dup3) && call[REG_RDI] == target;
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

/* The only thread: a UDP socket is connected to the name server by the number that a connection is about to get. */
static bool is_laying(const greg_t *call)
{
    return (call[REG_RAX] == SYS_dup2 || call[REG_RAX] == SYS_dup3) && call[REG_RSI] == target;
}

static void ask_by_target(void)
{
    connects(target, &name_server);
}

static void try_turned(void)
{
    static const struct stop stops[] = {{is_laying, ask_by_target}, {0}};
    made = connected(&to);
    target = socket(AF_INET, SOCK_DGRAM, 0);
    stop_at(stops);
    dup2(made, target);
    no_more_stops();
    said += says(target);
}

/* The only thread: at each instruction in turn of a dup2 that fails, a connection is laid over its number. */
static volatile long instructions;

static void lay_at(int number, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number, (void)info;
    if (instructions > 0)
        g[REG_EFL] |= TRAPS;
    else
        g[REG_EFL] &= ~TRAPS;
    if (!instructions--)
        dup2(made, target);
}

static void try_overlaid(void)
{
    enum { MOST = 20000, FIRST_NUMBER = 200, NUMBERS = 700 };
    struct sigaction action = {.sa_sigaction = lay_at, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    for (long at = 1; at < MOST && !said; at++) {
        made = connected(&to);
        target = FIRST_NUMBER + at % NUMBERS;
        instructions = at;
        raise(SIGTRAP);
        dup2(-1, target);
        bool was_over = instructions >= 0;
        instructions = 0;
        said += says(target);
        close(target);
        close(made);
        if (was_over)
            return;
    }
}

/* A connection is laid over what another thread's call is just making a duplicate of, and said by that number. */
static int duplicate = -1;

static bool is_duplicate(const greg_t *call)
{
    if (call[REG_RAX] != SYS_dup3 || call[REG_RDI] != target)
        return false;
    duplicate = (int)call[REG_RSI];
    return true;
}

static void say_by_duplicate(void)
{
    said += says(duplicate);
}

static void listen_by_target(void)
{
    listen(target, 1);
}

static void try_duplicated(void)
{
    static const struct stop stops[] = {{is_duplicate, lay_it}, {NULL, say_by_duplicate}, {0}};
    struct caller listener = {stops, listen_by_target, {0}, 0};
    made = connected(&to);
    target = open("/dev/null", O_WRONLY);
    start(&listener);
    end(&listener);
    if (duplicate < 0) { /* none is made */
        lay_it();
        said += says(target);
    }
}

/* A file is handed over, and closed by another thread before that call is over. */
static int pair[2];
static volatile bool was_closed;
static ssize_t handed_over;

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
    handed_over = sendmsg(pair[0], &m, 0);
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

/* The thread that closes what had the number before does not run for a while, right behind its call. */
static bool is_close_of_target(const greg_t *call)
{
    return call[REG_RAX] == SYS_close && call[REG_RDI] == target;
}

static void go_on(void)
{
}

static void close_it(void)
{
    close(target);
}

static void try_reused(void)
{
    static const struct stop stops[] = {{is_close_of_target, go_on}, {NULL, wait_here}, {0}};
    struct caller closer = {stops, close_it, {0}, 0}, sender = {&stops[2], hand_over, {0}, 0};
    target = open("/dev/null", O_RDONLY);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        abort();
    start(&closer);
    comes_to(&closer.state, 1);
    if (open("/proc/self/exe", O_RDONLY) != target)
        abort();
    start(&sender);
    usleep(200 * MILLISECOND);
    end(&closer);
    end(&sender);
    said += handed_over == 1;
}

int main(int count, char **words)
{
    static const struct kind kinds[] = {{"reset", try_reset},           {"copied", try_copied},
                                        {"settled", try_settled},       {"born", try_born},
                                        {"listening", try_listening},   {"laid", try_laid},
                                        {"written", try_written},       {"told", try_told},
                                        {"closed", try_closed},         {"turned", try_turned},
                                        {"reused", try_reused},         {"overlaid", try_overlaid},
                                        {"duplicated", try_duplicated}, {0}};
    return attempt(kinds, count, words);
}
