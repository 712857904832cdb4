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
 * not connected again to a place where bytes would have to be seen. Only the process that marks belong to takes them
 * away: a vfork child has this memory, but descriptors of its own.
 *
 * Threads, or a signal handler, of the function's own that lay one socket over another's number in the midst of a call can
 * get bytes past this look. No lock is held against them (docs/security/limits.md, "Not stopped").
 */
#ifndef SHIELD_FD_MARKS_H
#define SHIELD_FD_MARKS_H

#include <stdbool.h>

#include "../base/syscall_ctx.h"

enum watch {
    WATCH_NOTHING,
    WATCH_STREAM, /* a TCP socket that has yet to say by which name it goes, or that leads to a name server */
    /* As WATCH_STREAM, after a ClientHello: a second one may follow. From here on, what is read is looked at (gate.S). */
    WATCH_GREETED = 3,
    WATCH_ANSWERS, /* a TCP socket, as WATCH_STREAM, that leads to a name server */
    WATCH_KINDS = 7,
    /* Beside the kind, as nothing that becomes of a UDP socket may take away what is known of a TCP socket by the same
     * number, another process's or the next one's: by it queries go to name servers, so what is read may teach. */
    WATCH_QUERIES = 8
};

_Static_assert(WATCH_GREETED == 3 && WATCH_STREAM < 3, "as gate.S knows it");

enum { WATCHED_DESCRIPTORS = 1 << 20 /* fs.nr_open (proc(5)); gate.S knows it too */ };

/* Low byte: enum watch. The rest changes with each mark, so that an older one cannot be taken for it. gate.S reads the
 * low byte. */
extern uint64_t watched[WATCHED_DESCRIPTORS] __attribute__((visibility("hidden")));
_Static_assert(sizeof *watched == 8, "as gate.S counts them; and none comes twice");

bool marks_are_exact(void);
/* From now on: there is a child that may have them, a copy, or a number that may have been closed unseen. */
void marks_are_hints(void);

/* The mark of a descriptor, and what kind it is. */
uint64_t watch_mark(int32_t descriptor);
enum watch kind_of_mark(uint64_t mark);
enum watch watch_kind(int32_t descriptor);
/* Is it looked at at all, as a TCP or a UDP socket? */
bool has_mark(int32_t descriptor);
/* From now on queries go by it. False: its number is too high. */
bool watch_queries(int32_t descriptor);
bool has_queries(int32_t descriptor);
/* What had the number is closed, or it is no UDP socket; if the number is this process's. */
void forget_queries(int32_t descriptor);
/* Is it a TCP socket whose bytes are looked at? */
bool is_watched_stream(int32_t descriptor);
/* Is it a TCP socket at all? */
bool is_tcp(int32_t descriptor);
/* Has it such a mark, whatever it stands for now? */
bool has_stream_mark(int32_t descriptor);
/* That mark's kind, or WATCH_NOTHING. */
enum watch stream_mark(int32_t descriptor);
/* The same as is_watched_stream; and a mark that is left over, on something else than a TCP socket, is taken away. */
bool settle_stream_mark(int32_t descriptor);
/* False when the descriptor's number is too high. */
bool watch(int32_t descriptor, enum watch kind);
/* A TCP socket that was there already. */
void watch_found(int32_t descriptor);
/* The same, unless there is another mark than `seen` by now. */
void watch_instead(int32_t descriptor, uint64_t seen, enum watch kind);
/* What had this mark was closed. */
void watch_closed(int32_t descriptor, uint64_t mark);
/* Takes a mark away; unless there is another by now, or it is not this process's to take. */
void unwatch(int32_t descriptor, uint64_t mark);
/* From now on threads may have descriptors of their own: no mark is taken away any more. Nor where the owner of the memory
 * cannot be told (process_state.h). */
void watch_for_good(void);
bool is_for_good(void);
/* Before the mark of a TCP socket goes, from any of its numbers: it is not to be connected again to a place where its
 * first bytes have to be seen. False: the kernel does not remember it, so the mark stays. */
bool stream_seen(int32_t descriptor);
bool was_stream_seen(int32_t descriptor);
/* After the first bytes have left on the connection that it keeps. */
void stream_began(int32_t descriptor);
bool has_stream_begun(int32_t descriptor);
/* Identifies a socket, whatever descriptors there are for it (socket(7), SO_COOKIE). */
uint64_t socket_cookie(int32_t descriptor);
/* Descriptors that were there before anything looked at them: a parent's, those of a program that is attached late, and
 * those of the time when outbound_connectivity was allow. */
void watch_inherited(void);

#endif
