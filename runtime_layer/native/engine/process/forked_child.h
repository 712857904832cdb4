#ifndef SHIELD_FORKED_CHILD_H
#define SHIELD_FORKED_CHILD_H

#include <stdbool.h>

#include "../base/syscall_ctx.h"

/* Answers a call of a forked copy that may not be a child process, or an open before exec. False: the call is judged as any
 * other. */
bool answer_forked_copy(struct call *call);

#endif
