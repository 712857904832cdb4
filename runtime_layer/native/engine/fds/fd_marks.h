/* The descriptors whose reads and writes are judged: those that carry queries to a name server, and TCP sockets whose first
 * bytes have not been seen. All others pass the gate at native speed.
 *
 * A mark is a hint, never a verdict: its judge asks the kernel for the descriptor's present file and peer, so a stale mark
 * costs a little time and nothing else. As long as one thread alone can have any of these sockets, by one number each, the gate
 * sees all calls that change them: then marks are exact, and only the peer is asked for.
 *
 * A TCP socket is marked at birth, so that each copy has a mark, whenever it was made. The mark is removed when the first bytes
 * of a connection were seen, and a socket is connected once: after its mark was removed under any of its numbers, it cannot
 * connect to a peer whose bytes have to be seen. A vfork child has this memory, but its own descriptors: it neither sets nor
 * removes marks, and uses no network (gate/dispatch.c).
 *
 * Threads, or a signal handler, of the function that replace a socket's descriptor during a call can send bytes unseen. No lock
 * is held against them (docs/security/limits.md, "Not stopped").
 */
#ifndef SHIELD_FD_MARKS_H
#define SHIELD_FD_MARKS_H

#include <stdbool.h>

#include "../base/syscall_ctx.h"

enum mark_kind {
    MARK_NONE,
    MARK_TCP_NEW, /* a TCP socket whose first bytes, with a server's name, are yet to be seen, or that leads to a name server */
    MARK_TCP_SEEN, /* its first bytes were seen, and the kernel cannot keep that (forbid_reconnection) */
    /* A TCP socket, as MARK_TCP_NEW, that leads to a name server. From this kind on, reads are judged (gate.S). */
    MARK_TCP_DNS = MARK_READ,
    MARK_KINDS = 7,
    /* A bit beside the kind: changes of a UDP socket must not remove the mark of a TCP socket with the same number, another
     * process's or the next one's. It carries queries to name servers, so its reads are judged. */
    MARK_UDP_DNS = 8,
    MARK_OWN = 16 /* the gate's own: own_fds.h */
};

enum { MARKED_FDS_MAX = 1 << DESCRIPTOR_BITS /* fs.nr_open (proc(5)) */ };

/* Low byte: enum mark_kind. The rest changes with each mark, so that an older one cannot be taken for it. gate.S reads the
 * low byte. */
extern uint64_t fd_marks[MARKED_FDS_MAX] __attribute__((visibility("hidden")));

bool are_marks_exact(void);
/* To be called when a child or a copy may have marked sockets, or a number may have been closed unseen. */
void set_marks_inexact(void);

/* The mark of a descriptor, and its kind: each except MARK_NONE is a TCP socket's. */
uint64_t get_mark(int32_t descriptor);
enum mark_kind get_mark_kind(uint64_t mark);
enum mark_kind fd_mark_kind(int32_t descriptor);
/* Has it any mark, as a TCP or a UDP socket? */
bool has_mark(int32_t descriptor);
/* Marks a UDP socket that carries queries. False: its number is too high. */
bool mark_udp_dns(int32_t descriptor);
bool has_udp_dns_mark(int32_t descriptor);
/* Removes that mark: its socket was closed, or it is no UDP socket. */
void unmark_udp_dns(int32_t descriptor);
/* Marks the number as the gate's own, or removes that. */
void mark_own(int32_t descriptor, bool is_own);
/* Is it a TCP socket? */
bool is_tcp(int32_t descriptor);
/* Has it a TCP socket's mark, current or stale? */
bool has_tcp_mark(int32_t descriptor);
/* Is it a TCP socket whose bytes are judged? Removes a stale mark. */
bool check_tcp_mark(int32_t descriptor);
/* False when the descriptor's number is too high. */
bool set_mark(int32_t descriptor, enum mark_kind kind);
/* Marks a TCP socket that was made unseen. */
void mark_found_tcp(int32_t descriptor);
/* Sets a mark, unless it is no longer `seen`. */
void replace_mark(int32_t descriptor, uint64_t seen, enum mark_kind kind);
/* Removes the mark of a socket that was closed. */
void clear_mark_of_closed(int32_t descriptor, uint64_t mark);
/* Removes a mark, unless it is another by now. */
void clear_mark(int32_t descriptor, uint64_t mark);
/* To be called before the mark of a TCP socket is removed from any of its numbers: the socket cannot connect again to a peer
 * whose bytes have to be seen. False: the kernel cannot keep that, so the mark stays. */
bool forbid_reconnection(int32_t descriptor);
bool is_reconnection_forbidden(int32_t descriptor);
/* Identifies a socket, the same by each of its descriptors (socket(7), SO_COOKIE). */
uint64_t socket_cookie(int32_t descriptor);
/* Marks descriptors that were opened unseen: a parent's, those of a program that is armed late, and those from when
 * outbound_connectivity was allow. */
void mark_inherited_sockets(void);

#endif
