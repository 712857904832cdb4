/* Opens that need no judge, as the kernel ensures that they lead to no refused file: paths that stay on the mount of / or on a
 * read-only one, and allowed paths in /tmp. */
#ifndef SHIELD_OPEN_FASTPATH_H
#define SHIELD_OPEN_FASTPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "open_beneath.h"

/* The common arguments of openat, openat2, open and creat. */
struct open_call {
    int32_t directory;
    uint64_t path; /* the caller's pointer */
    uint64_t flags, mode, resolve;
    bool is_openat2; /* openat2: unknown flags are errors */
};

/* Opens an existing file, with `flags` instead of o->flags. TO_BE_JUDGED: the open must be judged. */
int64_t open_by_fastpath(const struct open_call *o, uint64_t flags);

#endif
