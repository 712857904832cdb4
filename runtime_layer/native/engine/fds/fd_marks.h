/* Which descriptors are looked at when they are written to and read from: those that carry queries to a name server,
 * and TCP sockets whose first bytes have not been seen. All others pass the gate at native speed.
 *
 * A mark is a hint, never a verdict: the judge that it leads to asks the kernel what the descriptor stands for now, and
 * whom it is connected to. So a mark that is left over costs a little time and nothing else. As long as nobody but one
 * thread can have any of these sockets, by one number each, the gate sees all that becomes of them: then marks are exact,
 * and only the peer is asked for.
 *
 * A TCP socket has its mark from birth, so that each copy of it has one, whenever it was made. The mark goes when the
 * first bytes were seen on a connection, and a socket is connected once: one whose mark went under any of its numbers is
 * not connected again to a place where bytes would have to be seen. A vfork child has this memory, but descriptors of its
 * own: it neither makes marks nor takes them away, and uses no network (gate/dispatch.c).
 *
 * Threads, or a signal handler, of the function's own that lay one socket over another's number in the midst of a call can
 * get bytes past this look. No lock is held against them (docs/security/limits.md, "Not stopped").
 */
#ifndef SHIELD_FD_MARKS_H
#define SHIELD_FD_MARKS_H

#include <stdbool.h>

#include "../base/syscall_ctx.h"

enum mark_kind {
    MARK_NONE,
    MARK_TCP_NEW, /* a TCP socket that has yet to say by which name it goes, or that leads to a name server */
    MARK_TCP_SEEN, /* its first bytes were seen, and the kernel does not remember it (forbid_reconnection) */
    /* A TCP socket, as MARK_TCP_NEW, that leads to a name server. From here on, what is read is looked at (gate.S). */
    MARK_TCP_DNS = MARK_READ,
    MARK_KINDS = 7,
    /* Beside the kind, as nothing that becomes of a UDP socket may take away what is known of a TCP socket by the same
     * number, another process's or the next one's: by it queries go to name servers, so what is read may teach. */
    MARK_UDP_DNS = 8,
    MARK_OWN = 16 /* the gate's own: own_fds.h */
};

enum { MARKED_FDS_MAX = 1 << DESCRIPTOR_BITS /* fs.nr_open (proc(5)) */ };

/* Low byte: enum mark_kind. The rest changes with each mark, so that an older one cannot be taken for it. gate.S reads the
 * low byte. */
extern uint64_t fd_marks[MARKED_FDS_MAX] __attribute__((visibility("hidden")));

bool are_marks_exact(void);
/* From now on: there is a child that may have them, a copy, or a number that may have been closed unseen. */
void set_marks_inexact(void);

/* The mark of a descriptor, and what kind it is: each but MARK_NONE is a TCP socket's. */
uint64_t get_mark(int32_t descriptor);
enum mark_kind get_mark_kind(uint64_t mark);
enum mark_kind fd_mark_kind(int32_t descriptor);
/* Is it looked at at all, as a TCP or a UDP socket? */
bool has_mark(int32_t descriptor);
/* From now on queries go by it. False: its number is too high. */
bool mark_udp_dns(int32_t descriptor);
bool has_udp_dns_mark(int32_t descriptor);
/* What had the number is closed, or it is no UDP socket. */
void unmark_udp_dns(int32_t descriptor);
/* Says, or says no longer, that the number is the gate's own. */
void mark_own(int32_t descriptor, bool is_own);
/* Is it a TCP socket at all? */
bool is_tcp(int32_t descriptor);
/* Has it such a mark, whatever it stands for now? */
bool has_tcp_mark(int32_t descriptor);
/* Is it a TCP socket whose bytes are looked at? A mark that is left over, on something else, is taken away. */
bool check_tcp_mark(int32_t descriptor);
/* False when the descriptor's number is too high. */
bool set_mark(int32_t descriptor, enum mark_kind kind);
/* A TCP socket that was there already. */
void mark_found_tcp(int32_t descriptor);
/* The same, unless there is another mark than `seen` by now. */
void replace_mark(int32_t descriptor, uint64_t seen, enum mark_kind kind);
/* What had this mark was closed. */
void clear_mark_of_closed(int32_t descriptor, uint64_t mark);
/* Takes a mark away, unless there is another by now. */
void clear_mark(int32_t descriptor, uint64_t mark);
/* Before the mark of a TCP socket goes, from any of its numbers: it is not to be connected again to a place where its
 * first bytes have to be seen. False: the kernel does not remember it, so the mark stays. */
bool forbid_reconnection(int32_t descriptor);
bool is_reconnection_forbidden(int32_t descriptor);
/* Identifies a socket, whatever descriptors there are for it (socket(7), SO_COOKIE). */
uint64_t socket_cookie(int32_t descriptor);
/* Descriptors that were there before anything looked at them: a parent's, those of a program that is attached late, and
 * those of the time when outbound_connectivity was allow. */
void mark_inherited_sockets(void);

#endif
