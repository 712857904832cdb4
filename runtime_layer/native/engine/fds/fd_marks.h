/* Marks descriptors whose reads and writes are judged: those that carry queries to a name server, and TCP sockets whose first
 * bytes have not been seen. All others pass the gate at native speed.
 *
 * A mark is a hint, never a verdict: its judge asks the kernel for the descriptor's present file and peer, so a stale mark
 * only costs a little time. While the sockets have one thread and one number each, the gate sees all calls that change them:
 * then marks are exact, and the judge asks for the peer only.
 *
 * A TCP socket is marked when it is made, so that each copy has a mark. The mark is removed when the first bytes of a
 * connection were seen. After its mark was removed under any of its numbers, a socket cannot connect to a peer whose bytes have
 * to be seen. A vfork child has this memory, but other descriptors: it neither sets nor removes marks, and uses no network
 * (gate/dispatch.c).
 *
 * Threads or signal handlers of the function that replace a socket's descriptor during a call can send bytes unseen. No lock
 * prevents that (docs/security/limits.md, "Not stopped").
 */
#ifndef SHIELD_FD_MARKS_H
#define SHIELD_FD_MARKS_H

#include <stdbool.h>

#include "../base/socket_info.h"
#include "../base/syscall_ctx.h"

enum mark_kind {
    MARK_NONE,
    MARK_TCP_NEW, /* a TCP socket whose first bytes are not seen yet, or that is connected to a name server */
    MARK_TCP_SEEN, /* its first bytes were seen, and the kernel cannot keep that fact (forbid_reconnection) */
    /* A TCP socket that is connected to a name server. From this kind on, reads are judged (gate.S). */
    MARK_TCP_DNS = MARK_READ,
    MARK_KINDS = 7,
    /* A UDP socket that carries queries to name servers, so its reads are judged. It is a bit beside the kind: a change of a
     * UDP socket must not remove the mark of a TCP socket with the same number, of another process or a later one. */
    MARK_UDP_DNS = 8,
    MARK_OWN = 16 /* the gate's own: own_fds.h */
};

enum { MARKED_FDS_MAX = 1 << DESCRIPTOR_BITS /* fs.nr_open (proc(5)) */ };

/* The low byte, which gate.S reads, is enum mark_kind. The rest changes with each mark, so that an older mark is recognised. */
extern uint64_t fd_marks[MARKED_FDS_MAX] __attribute__((visibility("hidden")));

bool are_marks_exact(void);
/* Must be called when a child or a copy may have marked sockets, or a number may have been closed unseen. */
void set_marks_inexact(void);

/* The mark of a descriptor, and its kind, which belongs to a TCP socket unless it is MARK_NONE. */
uint64_t get_mark(int32_t descriptor);
enum mark_kind get_mark_kind(uint64_t mark);
enum mark_kind fd_mark_kind(int32_t descriptor);
/* Whether it has a mark of a TCP or a UDP socket. */
bool has_mark(int32_t descriptor);
/* Marks a UDP socket that carries queries. False: its number is too high. */
bool mark_udp_dns(int32_t descriptor);
bool has_udp_dns_mark(int32_t descriptor);
/* Removes that mark: its socket was closed, or it is no UDP socket. */
void unmark_udp_dns(int32_t descriptor);
/* Marks the number as the gate's own, or removes that mark. */
void mark_own(int32_t descriptor, bool is_own);
/* Whether it has a TCP socket's mark, current or stale. */
bool has_tcp_mark(int32_t descriptor);
/* Whether it is a TCP socket whose bytes are judged. Removes a stale mark. */
bool check_tcp_mark(struct socket_facts *socket);
/* Sets a mark. False when the descriptor's number is too high. */
bool set_mark(int32_t descriptor, enum mark_kind kind);
/* Marks a TCP socket that was made unseen. */
void mark_found_tcp(int32_t descriptor);
/* Replaces the mark `seen`, unless it has changed. */
void replace_mark(int32_t descriptor, uint64_t seen, enum mark_kind kind);
/* Removes the mark of a socket that was closed. */
void clear_mark_of_closed(int32_t descriptor, uint64_t mark);
/* Removes a mark, unless it has changed. */
void clear_mark(int32_t descriptor, uint64_t mark);
/* Must be called before the mark of a TCP socket is removed from any of its numbers: keeps the socket from connecting again to
 * a peer whose bytes have to be seen. False: the kernel cannot keep that fact, so the mark stays. */
bool forbid_reconnection(int32_t descriptor);
bool is_reconnection_forbidden(int32_t descriptor);
/* Identifies a socket, the same by each of its descriptors (socket(7), SO_COOKIE). */
uint64_t socket_cookie(int32_t descriptor);
/* socket(2) for a TCP socket, which is marked before the program gets its number. */
int64_t make_tcp_socket(const uint64_t *arg);
/* dup2(2) and dup3(2), and calls that choose the number of the copy. Marks are copied too. */
int64_t replace_descriptor(const struct call *call);
enum outcome judge_copy(struct call *call);
/* Marks sockets that were opened unseen: by a parent, before the shield was armed, or while outbound_connectivity was allow. */
void mark_inherited_sockets(void);

#endif
