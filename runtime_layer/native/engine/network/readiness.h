/* The moment at which the handler is loaded: the first request line for an invocation.
 *
 * Every runtime client loads the handler's module before it first asks the Runtime API for work. A connection to the
 * Runtime API is not that moment: metadata, SnapStart and extension calls come earlier.
 *
 * Each later one is the end of an invocation: then what was left out of the alerts is told, and /tmp is cleared.
 */
#ifndef SHIELD_READINESS_H
#define SHIELD_READINESS_H

#include <stdint.h>

/* Looks whether `len` bytes at the caller's pointer begin with the request for an invocation or a restore. */
void detect_ready(uint64_t pointer, uint64_t len);
void detect_ready_vectors(uint64_t vectors, uint64_t count);

#endif
