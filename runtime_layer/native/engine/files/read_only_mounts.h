/* Where a function's code and layers lie: mounts that nobody can write to. What is opened there by a path without a link is
 * what the path's last component names, whatever other threads do, and only a handler is refused there. So the kernel opens
 * it at once (openat2(2)), beneath a reference to the mount that is kept from the start, or beneath the directory that a relative
 * path is relative to, where that lies on the mount.
 */
#ifndef SHIELD_READ_ONLY_MOUNTS_H
#define SHIELD_READ_ONLY_MOUNTS_H

#include "../state/sealed_state.h"
#include "open_fastpath.h"

/* At the start, once handlers, /tmp and the log are known. The references have the numbers behind the log's, so that the gate
 * hides them with it (gate_layout.h); one whose number is in use is not kept. */
void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS]);

/* A plain open for reading, by any path. TO_BE_JUDGED: the path leads elsewhere, or by a link, or may name a handler. */
int64_t open_on_read_only_mount(const struct opening *o, uint64_t flags);

#endif
