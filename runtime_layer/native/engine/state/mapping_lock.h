/* A lock for the thread that maps text, or changes mappings that overlap text.
 *
 * The caller blocks all signals first: a handler could wait for the thread that it interrupted, or leave by longjmp. In a
 * forked copy the lock is free (process_state.h).
 */
#ifndef SHIELD_MAPPING_LOCK_H
#define SHIELD_MAPPING_LOCK_H

#include <stdbool.h>

/* False: other threads held it for some seconds. */
bool lock_mappings(void);
void unlock_mappings(void);

#endif
