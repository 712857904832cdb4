/* Finds the moments of a function's life: ready, the next event, the end.
 *
 * A function is ready when it first asks for an invocation: by then every runtime client has loaded the handler's module. A
 * connection to the Runtime API is earlier, for metadata, SnapStart and extensions.
 *
 * Each later request is the end of an invocation: the counts of alerts without a line are written, and /tmp is cleared.
 */
#ifndef SHIELD_EVENTS_H
#define SHIELD_EVENTS_H

#include "../base/syscall_ctx.h"

/* Must be called before a call (UNTIL_READY) is judged that may carry the request for an invocation or a restore. */
void watch_for_request(const struct call *call);

#endif
