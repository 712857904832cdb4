/* Changes sealed pages while other threads read them: a changed copy replaces the pages. */
#ifndef SHIELD_SEALED_PAGES_H
#define SHIELD_SEALED_PAGES_H

#include "sealed_state.h"

/* A writable copy of whole pages. NULL: there is no memory. */
void *pages_copy(const void *at, uint64_t size);
/* Moves the copy over the pages: a thread reads the old page or the new one (mremap(2)). `rights`: PROT_*. False: a limit
 * forbids it, nothing has changed, and the copy is unmapped. */
bool pages_replace(void *copy, void *at, uint64_t size, uint64_t rights);
void pages_drop(void *copy, uint64_t size);

/* Replaces the gate's table by one for this policy. False: as pages_replace. */
bool replace_gate_table(const struct sealed *s, bool ready);

#endif
