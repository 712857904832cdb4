/* Changing what is sealed, while other threads read it.
 *
 * A copy of the pages is changed, and the kernel lays it over them at once for all processors: what a thread reads is
 * the old or the new, and what is sealed is never writable where it lies.
 */
#ifndef SHIELD_SEALING_H
#define SHIELD_SEALING_H

#include <stdbool.h>
#include <stdint.h>

/* A copy of whole pages, to be changed. NULL: there is no memory. */
void *pages_copy(const void *at, uint64_t size);
/* Lays the copy over the pages, with that protection. False: nothing has changed. The copy is gone either way. */
bool pages_exchange(void *copy, const void *at, uint64_t size, uint64_t protection);
void pages_drop(void *copy, uint64_t size);

/* One thread at a time changes what is sealed, and no signal handler runs in it meanwhile. False: others take too long.
 * `signals` keeps what was blocked before. */
bool sealing_begin(uint64_t *signals);
void sealing_end(const uint64_t *signals);

#endif
