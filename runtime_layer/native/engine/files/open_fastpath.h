/* Opens that need no judge, as the kernel ensures that they lead to no refused file: paths that stay on the mount of /, and
 * paths beneath references that are opened at the start, by one call of the kernel (openat2(2)):
 *
 *   a read-only mount   of the function's code or layers. A path without a link always names the same file there, and only a
 *                       handler is refused. A relative path may also start at its directory, if that lies on the mount
 *   /tmp                where that is a mount: allowed paths
 */
#ifndef SHIELD_OPEN_FASTPATH_H
#define SHIELD_OPEN_FASTPATH_H

#include "../state/sealed_state.h"

/* Open the references, once handlers, /tmp and the log are known. They get the numbers after the log's, so that the gate hides
 * them too (gate_layout.h); one whose number is in use is not kept. 0: there is none to /tmp. */
void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS]);
int32_t keep_tmp_directory(void);

/* The common arguments of openat, openat2, open and creat. */
struct open_call {
    int32_t directory;
    uint64_t path; /* the caller's pointer */
    uint64_t flags, mode, resolve;
    bool is_openat2; /* openat2: unknown flags are errors */
};

enum { TO_BE_JUDGED = -4096 /* no errno: the path leads elsewhere, or may name a refused file */ };
/* Opens an existing file, with `flags` instead of o->flags. */
int64_t open_by_fastpath(const struct open_call *o, uint64_t flags);
/* Opens or creates a file in /tmp, if the path as written is allowed. */
int64_t open_in_tmp(const struct open_call *o, uint64_t flags);

#endif
