/* Opens that need no judging: the kernel itself sees to it that they lead to nothing that is refused: what stays on the mount
 * of /, on a read-only one or in /proc, or is allowed in /tmp. */
#ifndef SHIELD_OPEN_FASTPATH_H
#define SHIELD_OPEN_FASTPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "open_beneath.h"

/* What openat, openat2, open and creat have in common. */
struct opening {
    int32_t directory;
    uint64_t path; /* the caller's pointer */
    uint64_t flags, mode, resolve;
    bool extended; /* openat2: unknown flags are errors */
};

/* Opens what exists, with these flags instead of its own; TO_BE_JUDGED: it is to be opened and judged as ever. */
int64_t open_by_fastpath(const struct opening *o, uint64_t flags);

#endif
