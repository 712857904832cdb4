/* Patching code that other threads may be running: late attach, in a program that has threads already. */
#ifndef SHIELD_QUIESCE_H
#define SHIELD_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

bool has_other_threads(void);

/* Waits until every other thread was seen outside the places of `is_inside` once: blocked in a system call elsewhere, or having
 * run since. The caller ensures that no thread can enter them any more. False when one was not seen to leave. */
bool wait_for_threads(bool (*is_inside)(const void *context, uint64_t address), const void *context);

/* Makes other processors see changed instructions from here on (membarrier(2)), where the kernel can. */
void synchronize_processors(void);

#endif
