/* What takes long of a close, or of what replaces a descriptor: done beside the number, as nobody else waits for it. */
#ifndef SHIELD_SLOW_CLOSE_H
#define SHIELD_SLOW_CLOSE_H

#include <stdint.h>

#include "../base/syscall_ctx.h"

struct closing {
    int64_t written; /* 0, or the errno with which what was kept back could not be written */
    int64_t own;     /* another number for the same, held; or an errno */
};

/* Before `call`, close(2) or dup2(2), claims the change of the number (change_begin): others may use it as it is. */
struct closing closing_begin(const struct call *call, int32_t descriptor);
/* Once the claim is given back. */
void closing_end(const struct closing *closing);

#endif
