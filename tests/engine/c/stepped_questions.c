/* Questions over TCP, when the connection becomes another between two instructions of a call on it (stepping.h).
 *
 *   asked     tries to ask the name server for FURTHER as if that were plain bytes
 *   laid_under  the same by a UDP socket, which a handler lays under a connect of the only thread
 *   fast_opened  the same by a connection that was used, which a handler lays under two queries
 *   answered  tries to be told by an answer of its own, made on loopback, that allowed.example is at FURTHER; prints what it
 *             received, and whether it may connect there
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "stepped_peers.h"

static bool is_look(const greg_t *call)
{
    return call[REG_RAX] == SYS_recvmsg && call[REG_RDX] & MSG_PEEK;
}

static bool is_taking(const greg_t *call)
{
    return call[REG_RAX] == SYS_recvmsg && !(call[REG_RDX] & MSG_PEEK);
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

static void try_asked(void)
{
    static const struct stop around_connect[] = {{is_connect, wait_here}, {NULL, wait_here}, {0}},
                             stops[] = {{is_send, wait_here}, {0}};
    struct caller connector = {around_connect, connect_to_name_server, {0}, 0},
                  writer = {stops, write_query, {0}, 0};
    make_query(further);
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

static int datagrams;

static void lay_datagrams(void)
{
    dup2(datagrams, made);
}

static void write_datagram(void)
{
    if (write(datagrams, query + 2, query_len - 2) < 0)
        said--;
}

static void try_laid_under(void)
{
    static const struct stop stops[] = {{is_connect, lay_datagrams}, {NULL, write_datagram}, {0}};
    make_query(further);
    datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    made = stream();
    stop_at(stops);
    connect_to_name_server();
    no_more_stops();
}

static bool is_pair(const greg_t *call)
{
    return call[REG_RAX] == SYS_sendmmsg;
}

static void lay_used(void)
{
    dup2(made, datagrams);
}

/* Where the call does not connect it, connect(2) does. */
static void try_fast_opened(void)
{
    static const struct stop stops[] = {{is_pair, lay_used}, {0}};
    make_query("allowed.example");
    made = connected(&to);
    send(made, "GET / HTTP/1.0\r\n\r\n", 18, 0);
    disconnect(made);
    datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    connects(datagrams, &name_server);
    struct iovec bytes = {query + 2, query_len - 2};
    struct mmsghdr pair[2] = {{.msg_hdr = {.msg_iov = &bytes, .msg_iovlen = 1}},
                              {.msg_hdr = {.msg_iov = &bytes, .msg_iovlen = 1}}};
    stop_at(stops);
    sendmmsg(datagrams, pair, 2, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL);
    no_more_stops();
    if (state_of(datagrams) == TCP_CLOSE)
        connects(datagrams, &name_server);
    if (state_of(datagrams) != TCP_CLOSE)
        becomes(datagrams, TCP_ESTABLISHED);
    make_query(further);
    said += send(datagrams, query, query_len, 0) > 0;
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

static void try_answered(void)
{
    static const struct stop stops[] = {
        {is_look, wait_here}, {NULL, wait_here}, {is_taking, wait_here}, {NULL, wait_here}, {0}};
    void (*const flips[])(void) = {to_ourselves, to_name_server, to_ourselves, to_name_server};
    struct caller receiver = {stops, receive, {0}, 0};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = to.sin_port};
    socklen_t len = sizeof ourselves;
    inet_pton(AF_INET, further, &there.sin_addr);
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
    fflush(stdout);
    _exit(0);
}

int main(int count, char **words)
{
    static const struct kind kinds[] = {{"asked", try_asked},
                                        {"fast_opened", try_fast_opened},
                                        {"laid_under", try_laid_under},
                                        {"answered", try_answered},
                                        {0}};
    return attempt(kinds, count, words);
}
