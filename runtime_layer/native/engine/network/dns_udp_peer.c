/* Tests: tests/integration/engine/test_replaced_sockets.py. */
#include "dns_udp_peer.h"

#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../state/sealed_state.h"
#include "../fds/fd_marks.h"

enum { SERVERS = 256 };

/* The latest servers of UDP sockets, by serial number, and the function's own. Serial 0: it is being written. */
struct server {
    uint32_t serial;
    struct sockaddr_bytes address;
};
static struct server servers[SERVERS];
static uint32_t last_serial;

/* Sockets with a server, in buckets: the socket's cookie (the upper bits) and the server's serial number. A cookie is the same
 * under all numbers and in all processes. No call reports the end of a socket, so a full bucket replaces the oldest one, after
 * some thousand sockets. */
enum { CONNECTED = 1024, CONNECTED_ALIKE = 8, SERIAL_BITS = 24, SERIAL_MASK = (1 << SERIAL_BITS) - 1 };
static uint64_t connected[CONNECTED][CONNECTED_ALIKE];
static uint32_t
    age[CONNECTED]
       [CONNECTED_ALIKE]; /* lower is older; any thread, relaxed: it only chooses the replaced entry */

/* The address with zero in the bytes that the kernel ignores, as in the result of getpeername(2). */
static struct sockaddr_bytes plain(const struct sockaddr_bytes *server)
{
    enum { INET_LEN = 16, INET_SAID = 8, INET6_LEN = 28, FLOW = 4 };
    struct sockaddr_bytes p = {.len = INET_LEN};
    if (server->bytes[0] == AF_INET) {
        copy_bytes(p.bytes, server->bytes, INET_SAID);
        return p;
    }
    p.len = server->len < INET6_LEN ? server->len : INET6_LEN;
    copy_bytes(p.bytes, server->bytes, p.len);
    for (uint32_t i = 0; i < sizeof(uint32_t); i++)
        p.bytes[FLOW + i] = 0;
    return p;
}

static bool same_address(const struct sockaddr_bytes *a, const struct sockaddr_bytes *b)
{
    return a->len == b->len && same_bytes(a->bytes, b->bytes, a->len);
}

/* False: another thread is writing it, or another server has replaced it. */
static bool read_server(uint32_t serial, struct sockaddr_bytes *address)
{
    const struct server *server = &servers[serial % SERVERS];
    if (__atomic_load_n(&server->serial, __ATOMIC_ACQUIRE) != serial)
        return false;
    *address = server->address;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&server->serial, __ATOMIC_RELAXED) == serial;
}

static bool is_own_resolver(const struct sockaddr_bytes *address)
{
    struct endpoint to;
    return endpoint_from_sockaddr(address->bytes, address->len, &to) == SOCKADDR_INET &&
           is_resolver_address(&to);
}

/* Two threads that add the same server at once may use two numbers, which is harmless. */
static uint32_t add_server(const struct sockaddr_bytes *address)
{
    struct sockaddr_bytes there;
    for (uint32_t turn = 0;; turn++) {
        uint32_t serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_SEQ_CST) & SERIAL_MASK;
        struct server *server = &servers[serial % SERVERS];
        uint32_t old = __atomic_load_n(&server->serial, __ATOMIC_SEQ_CST);
        bool is_kept = turn < SERVERS && old && read_server(old, &there) && is_own_resolver(&there);
        if (!serial || is_kept)
            continue;
        __atomic_store_n(&server->serial, 0, __ATOMIC_SEQ_CST);
        server->address = *address;
        __atomic_store_n(&server->serial, serial, __ATOMIC_RELEASE);
        return serial;
    }
}

static uint32_t serial_of(const struct sockaddr_bytes *address)
{
    struct sockaddr_bytes there;
    uint32_t last = __atomic_load_n(&last_serial, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < SERVERS && i <= last; i++) {
        uint32_t serial = __atomic_load_n(&servers[i].serial, __ATOMIC_ACQUIRE);
        if (serial && read_server(serial, &there) && same_address(&there, address))
            return serial;
    }
    return add_server(address);
}

/* The socket's cookie; where the kernel gives none (under qemu-user), the inode's number. */
static uint64_t identity(int32_t descriptor)
{
    uint64_t cookie = socket_cookie(descriptor);
    return (cookie ? cookie : inode_of(descriptor).ino) << SERIAL_BITS;
}

static uint64_t *bucket_of(uint64_t identity)
{
    return connected[(identity >> SERIAL_BITS) % CONNECTED];
}

/* The serial number of the socket's server, and the socket's entry; 0: it has none. */
static uint32_t connection_of(uint64_t identity, uint64_t **entry)
{
    uint64_t *bucket = bucket_of(identity);
    for (uint32_t i = 0; i < CONNECTED_ALIKE; i++) {
        uint64_t value = __atomic_load_n(&bucket[i], __ATOMIC_ACQUIRE);
        *entry = &bucket[i];
        if (value >> SERIAL_BITS == identity >> SERIAL_BITS && value & SERIAL_MASK)
            return (uint32_t)value & SERIAL_MASK;
    }
    return 0;
}

/* The socket's entry; else a free one, or the oldest. */
static uint64_t *entry_for(uint64_t identity)
{
    static uint32_t youngest;
    uint64_t *entry, *bucket = bucket_of(identity);
    uint32_t *age_of = age[(identity >> SERIAL_BITS) % CONNECTED], oldest = 0;
    if (connection_of(identity, &entry))
        return entry;
    uint32_t now = __atomic_add_fetch(&youngest, 1, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < CONNECTED_ALIKE; i++) {
        uint64_t free_entry = 0;
        bool is_free = __atomic_compare_exchange_n(&bucket[i], &free_entry, identity, false, __ATOMIC_SEQ_CST,
                                                   __ATOMIC_RELAXED);
        if (is_free || now - __atomic_load_n(&age_of[i], __ATOMIC_RELAXED) >
                           now - __atomic_load_n(&age_of[oldest], __ATOMIC_RELAXED))
            oldest = i;
        if (is_free)
            break;
    }
    __atomic_store_n(&age_of[oldest], now, __ATOMIC_RELAXED);
    return &bucket[oldest];
}

bool record_name_server(int32_t descriptor, const struct sockaddr_bytes *server)
{
    const struct sockaddr_bytes to = plain(server);
    uint64_t socket = identity(descriptor);
    if (!mark_udp_dns(descriptor))
        return false;
    __atomic_store_n(entry_for(socket), socket | serial_of(&to), __ATOMIC_SEQ_CST);
    return true;
}

void forget_name_server(int32_t descriptor)
{
    if (!__atomic_load_n(&last_serial, __ATOMIC_SEQ_CST)) /* no socket ever was */
        return;
    uint64_t *entry, socket = identity(descriptor), value = socket | connection_of(socket, &entry);
    if (value != socket)
        __atomic_compare_exchange_n(entry, &value, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

bool is_sent_by(const struct sockaddr_bytes *server, const struct endpoint *sender)
{
    struct endpoint to;
    bool is_known = endpoint_from_sockaddr(server->bytes, server->len, &to) == SOCKADDR_INET;
    return !is_known || (to.port == sender->port && address_equal(&to.ip, &sender->ip));
}

bool find_name_server(int32_t descriptor, struct sockaddr_bytes *server)
{
    uint64_t *entry;
    uint32_t serial = has_udp_dns_mark(descriptor) ? connection_of(identity(descriptor), &entry) : 0;
    if (!serial || (!are_marks_exact() && !is_unconnected(descriptor))) /* another thread has connected it */
        return false;
    return read_server(serial, server);
}

/* getpeername of a socket that the gate keeps unconnected returns the program's peer. */
enum outcome judge_peer_name(struct call *call)
{
    struct sockaddr_bytes server;
    if (!find_name_server((int32_t)call->arg[0], &server))
        return RUN_IN_PLACE;
    uint32_t room;
    if (!read_user(&room, call->arg[2], sizeof room))
        return answer(call, -EFAULT);
    if ((int32_t)room < 0)
        return answer(call, -EINVAL);
    uint32_t part = room < server.len ? room : server.len;
    bool written = write_user(call->arg[1], server.bytes, part) &&
                   write_user(call->arg[2], &server.len, sizeof server.len);
    return answer(call, written ? 0 : -EFAULT);
}
