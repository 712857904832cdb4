/* The read-only mounts of a function's code and layers. A path without a link always names the same file there, and only a
 * handler is refused. So the kernel opens it directly (openat2(2)), beneath a reference to the mount, which is opened at the
 * start, or beneath the directory of a relative path, if that lies on the mount. */
#ifndef SHIELD_READ_ONLY_MOUNTS_H
#define SHIELD_READ_ONLY_MOUNTS_H

#include "../state/sealed_state.h"
#include "open_fastpath.h"

/* Must be called at the start, after handlers, /tmp and the log are known. The references get the numbers after the log's, so
 * that the gate hides them too (gate_layout.h); a reference whose number is in use is not kept. */
void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS]);

/* Opens any path for reading. TO_BE_JUDGED: the path leads elsewhere, or through a link, or may name a handler. */
int64_t open_on_read_only_mount(const struct open_call *o, uint64_t flags);

#endif
