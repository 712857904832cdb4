/* Changing what is sealed, while other threads read it.
 *
 * What is to follow goes into a memory file, which is then sealed against all writes (memfd_create(2), fcntl(2):
 * F_SEAL_WRITE): the kernel does that only when nobody could write to it any more, not even a device that was told to
 * before. Only then it is looked at, and what may follow is laid over the pages, at once for all processors: what a thread
 * reads is the old or the new, and what is sealed is never writable where it lies. It is looked at in a place that is the
 * engine's from the start, so that no call that was judged before can change what is seen there.
 */
#ifndef SHIELD_SEALED_PAGES_H
#define SHIELD_SEALED_PAGES_H

#include "sealed_state.h"

/* The places to look: at what follows `sealed`, and at what follows the gate's table. */
enum { ROOM_TO_LOOK = sizeof(struct sealed) + PAGE };

/* A copy of whole pages, to be changed. Others may write to it as well. NULL: there is no memory. */
void *pages_copy(const void *at, uint64_t size);
/* What may be laid over the pages, asked when it can no longer change. */
typedef bool (*pages_check)(const void *now, const void *next, const void *context);
/* Lays what the copy holds over `sealed` or the gate's table, if it may. False: nothing has changed. The copy is gone either
 * way. */
bool pages_exchange(void *copy, void *at, uint64_t size, pages_check may_follow, const void *context);
void pages_drop(void *copy, uint64_t size);

/* One thread at a time changes what is sealed, and no signal handler runs in it meanwhile. False: others take too long.
 * `signals` keeps what was blocked before. */
bool sealing_begin(uint64_t *signals);
void sealing_end(const uint64_t *signals);

#endif
