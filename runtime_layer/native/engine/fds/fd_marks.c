/* Tests: tests/integration/engine/test_replaced_sockets.py. */
#include "fd_marks.h"

#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "fd_list.h"

/* Any thread, by an exchange (seq_cst), as the kernel's table of descriptors changes. */
uint64_t fd_marks[MARKED_FDS_MAX];
static uint64_t generation; /* any thread adds one, and no other memory depends on it, so relaxed */
static bool is_inexact; /* set for ever, by the only thread, or where is_single_threaded() is false anyway */

static bool is_known(int32_t descriptor)
{
    return descriptor >= 0 && descriptor < MARKED_FDS_MAX;
}

uint64_t get_mark(int32_t descriptor)
{
    return is_known(descriptor) ? __atomic_load_n(&fd_marks[descriptor], __ATOMIC_ACQUIRE) : MARK_NONE;
}

enum mark_kind get_mark_kind(uint64_t mark)
{
    return (enum mark_kind)(mark & MARK_KINDS);
}

enum mark_kind fd_mark_kind(int32_t descriptor)
{
    return get_mark_kind(get_mark(descriptor));
}

bool has_mark(int32_t descriptor)
{
    return get_mark(descriptor) & (MARK_KINDS | MARK_UDP_DNS);
}

bool has_udp_dns_mark(int32_t descriptor)
{
    return get_mark(descriptor) & MARK_UDP_DNS;
}

static uint64_t new_mark(enum mark_kind kind)
{
    return __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED) << 8 | kind;
}

bool are_marks_exact(void)
{
    return !__atomic_load_n(&is_inexact, __ATOMIC_RELAXED) && is_single_threaded();
}

void set_marks_inexact(void)
{
    __atomic_store_n(&is_inexact, true, __ATOMIC_RELAXED);
}

/* Sets the kind of a mark, and keeps the other bits. */
static bool put_mark(int32_t descriptor, uint64_t seen, uint64_t mark)
{
    const uint64_t beside = MARK_UDP_DNS | MARK_OWN;
    uint64_t now = seen;
    while (is_known(descriptor) && (now & ~beside) == (seen & ~beside))
        if (__atomic_compare_exchange_n(&fd_marks[descriptor], &now, mark | (now & beside), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
            return true;
    return false;
}

bool set_mark(int32_t descriptor, enum mark_kind kind)
{
    uint64_t mark = new_mark(kind);
    while (is_known(descriptor) && !put_mark(descriptor, get_mark(descriptor), mark))
        ;
    return is_known(descriptor);
}

void mark_found_tcp(int32_t descriptor)
{
    set_marks_inexact();
    set_mark(descriptor, MARK_TCP_NEW);
}

bool mark_udp_dns(int32_t descriptor)
{
    if (!is_known(descriptor))
        return false;
    if (!has_udp_dns_mark(descriptor))
        __atomic_fetch_or(&fd_marks[descriptor], MARK_UDP_DNS, __ATOMIC_SEQ_CST);
    return true;
}

void unmark_udp_dns(int32_t descriptor)
{
    if (has_udp_dns_mark(descriptor))
        __atomic_fetch_and(&fd_marks[descriptor], ~(uint64_t)MARK_UDP_DNS, __ATOMIC_SEQ_CST);
}

void mark_own(int32_t descriptor, bool is_own)
{
    if (!is_known(descriptor))
        return;
    if (is_own)
        __atomic_fetch_or(&fd_marks[descriptor], MARK_OWN, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&fd_marks[descriptor], ~(uint64_t)MARK_OWN, __ATOMIC_SEQ_CST);
}

void replace_mark(int32_t descriptor, uint64_t seen, enum mark_kind kind)
{
    put_mark(descriptor, seen, new_mark(kind));
}

void clear_mark(int32_t descriptor, uint64_t mark)
{
    put_mark(descriptor, mark, 0);
}

void clear_mark_of_closed(int32_t descriptor, uint64_t mark)
{
    if (!mark || !are_marks_exact())
        return;
    clear_mark(descriptor, mark);
    unmark_udp_dns(descriptor);
}

bool check_tcp_mark(struct socket_facts *socket)
{
    uint64_t mark = get_mark(socket->descriptor);
    bool has_kind = get_mark_kind(mark) != MARK_NONE,
         is_inspected = has_kind && (are_marks_exact() || is_tcp(socket));
    if (has_kind && !is_inspected)
        clear_mark(socket->descriptor, mark);
    return is_inspected;
}

bool has_tcp_mark(int32_t descriptor)
{
    return fd_mark_kind(descriptor) != MARK_NONE;
}

uint64_t socket_cookie(int32_t descriptor)
{
    uint64_t cookie = 0;
    uint32_t size = sizeof cookie;
    return is_error(KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size)) ? 0 : cookie;
}

/* The kernel keeps the fact as SO_LOCK_FILTER (socket(7)), which cannot be cleared and forbids further socket filters, which no
 * TCP client attaches. The option belongs to the socket: every copy in every process has it, and so do the sockets that a
 * listening one accepts. */
bool forbid_reconnection(int32_t descriptor)
{
    int32_t on = 1;
    return !is_error(KERNEL(setsockopt, descriptor, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on));
}

bool is_reconnection_forbidden(int32_t descriptor)
{
    return read_socket_option(descriptor, SOL_SOCKET, SO_LOCK_FILTER) > 0;
}

static bool mark_if_tcp(int32_t descriptor)
{
    if (is_tcp(&(struct socket_facts){.descriptor = descriptor}))
        mark_found_tcp(descriptor);
    return false;
}

void mark_inherited_sockets(void)
{
    bool is_listed = for_each_descriptor(mark_if_tcp) != NOT_LISTED;
    for (int32_t i = 0; !is_listed && i < MARKED_FDS_MAX; i++) /* any number may be a socket */
        mark_found_tcp(i);
}
