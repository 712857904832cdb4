/* A function's life: ready, the next event, the end.
 *
 * It is ready when it first asks for an invocation. Every runtime client loads the handler's module before that. A connection to
 * the Runtime API is not that moment: metadata, SnapStart and extension calls come earlier.
 *
 * Each later request is the end of an invocation: the counts of the alerts without a line are written, and /tmp is cleared.
 */
#ifndef SHIELD_EVENTS_H
#define SHIELD_EVENTS_H

#include "../base/syscall_ctx.h"

/* Before a call that may carry the request for an invocation or a restore (UNTIL_READY) is judged. */
void watch_for_request(const struct call *call);

#endif
