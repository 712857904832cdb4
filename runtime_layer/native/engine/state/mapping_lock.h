/* Held by the thread that prepares a text, or changes mappings where there is one.
 *
 * The caller blocks all signals first: a handler would wait for the thread that it interrupted, or leave by longjmp. A forked
 * copy finds the lock free (process_state.h).
 */
#ifndef SHIELD_MAPPING_LOCK_H
#define SHIELD_MAPPING_LOCK_H

#include <stdbool.h>

/* False: others held it for more than some seconds. */
bool lock_mappings(void);
void unlock_mappings(void);

#endif
