/* Where a process was forked, for what the copy's alerts say: V8 leaves its heap out of copies (MADV_DONTFORK), so that only in
 * front of the fork can be read which code makes it. Node.js starts each program so. */
#ifndef SHIELD_FORK_PLACE_H
#define SHIELD_FORK_PLACE_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"

/* Before the call. Looks only where an alert by the copy is possible, on its way to start a program. */
void note_fork_place(const struct call *call);
/* In the copy: of the fork that made it, or the last one of its thread's before that. No package: not known. */
struct source_place fork_place(void);

#endif
