/* The mounts of a function's code and layers, which are read-only. A path without a link names its file there for good, and
 * only a handler is refused. So the kernel opens it at once (openat2(2)), beneath a reference to the mount that is kept from
 * the start, or beneath the directory of a relative path, if that lies on the mount. */
#ifndef SHIELD_READ_ONLY_MOUNTS_H
#define SHIELD_READ_ONLY_MOUNTS_H

#include "../state/sealed_state.h"
#include "open_fastpath.h"

/* To be called at the start, once handlers, /tmp and the log are known. The references have the numbers after the log's, so
 * that the gate hides them with it (gate_layout.h); one whose number is in use is not kept. */
void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS]);

/* Opens for reading, by any path. TO_BE_JUDGED: the path leads elsewhere, or through a link, or may name a handler. */
int64_t open_on_read_only_mount(const struct opening *o, uint64_t flags);

#endif
