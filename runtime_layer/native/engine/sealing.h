/* Changing what is sealed, while other threads read it.
 *
 * A copy of the pages is changed, and the kernel lays it over them at once for all processors: what a thread reads is
 * the old or the new, and what is sealed is never writable where it lies. The copy is, and threads could write to it: so it
 * is made read-only first, then looked at, and only what may follow is laid over.
 */
#ifndef SHIELD_SEALING_H
#define SHIELD_SEALING_H

#include "state.h"

/* Pages that are the engine's from the start: a copy of `sealed`, and behind it one of the gate's table. No call that was
 * judged before a copy came to be there can fall on it. */
enum { ROOM_FOR_COPIES = sizeof(struct sealed) + PAGE };

/* A copy of whole pages, to be changed: where it has its place, or where the kernel puts it. NULL: there is no memory. What
 * is sealed is copied by one thread at a time (sealing_begin). */
void *pages_copy(const void *at, uint64_t size);
/* What may be laid over the pages, asked when the copy can no longer change. */
typedef bool (*pages_check)(const void *now, const void *next, const void *context);
/* Makes the copy read-only, has it checked where there is a check, and lays it over the pages, with that protection. False:
 * nothing has changed. The copy is gone either way. */
bool pages_exchange(void *copy, const void *at, uint64_t size, uint64_t protection, pages_check may_follow,
                    const void *context);
void pages_drop(void *copy, uint64_t size);

/* One thread at a time changes what is sealed, and no signal handler runs in it meanwhile. False: others take too long.
 * `signals` keeps what was blocked before. */
bool sealing_begin(uint64_t *signals);
void sealing_end(const uint64_t *signals);

#endif
