/* Patching code that other threads may be running: late attach, in a program that has threads already. */
#ifndef SHIELD_QUIESCE_H
#define SHIELD_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

bool has_other_threads(void);

/* Waits until every other thread was seen outside the places that `is_inside` names, once each: blocked in a system
 * call elsewhere, or having run since. New threads must not be able to enter these places by then. False when one
 * could not be seen to leave. */
bool wait_for_threads(bool (*is_inside)(const void *context, uint64_t address), const void *context);

/* Other processors see changed instructions from here on, where the kernel can see to that. */
void synchronize_processors(void);

#endif
