/* Waits until other threads do not run code that is to be patched, where the shield arms in a program with threads. */
#ifndef SHIELD_QUIESCE_H
#define SHIELD_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

bool has_other_threads(void);

/* Waits until every other thread was seen outside the places of `is_inside`: blocked in a system call elsewhere, or having run
 * since. The caller ensures that no thread can enter them any more. False when a thread was not seen outside. */
bool wait_for_threads(bool (*is_inside)(const void *context, uint64_t address), const void *context);

/* Makes other processors see changed instructions (membarrier(2)), where the kernel can. */
void synchronize_processors(void);

#endif
