/* Changing sealed pages while other threads read them: a copy is changed, and replaces the pages. */
#ifndef SHIELD_SEALED_PAGES_H
#define SHIELD_SEALED_PAGES_H

#include "sealed_state.h"

/* A copy of whole pages, to be changed. NULL: there is no memory. */
void *pages_copy(const void *at, uint64_t size);
/* Moves the copy over the pages, for all processors at once: a thread reads the old page or the new one (mremap(2)). `rights`:
 * PROT_*. False: a limit forbids that, nothing has changed, and the copy is unmapped. */
bool pages_replace(void *copy, void *at, uint64_t size, uint64_t rights);
void pages_drop(void *copy, uint64_t size);

/* Fills the gate's table anew, for this policy. False: as with pages_replace. */
bool replace_gate_table(const struct sealed *s, bool ready);

/* Takes the lock for changing sealed pages, and blocks signals in this thread. False: others hold it too long. `signals` keeps
 * the mask from before. */
bool sealing_begin(uint64_t *signals);
void sealing_end(const uint64_t *signals);

#endif
