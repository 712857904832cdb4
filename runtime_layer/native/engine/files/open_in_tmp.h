/* Opens allowed paths in /tmp, where that is a mount, by one call of the kernel beneath a reference to /tmp, which is opened at
 * the start. */
#ifndef SHIELD_OPEN_IN_TMP_H
#define SHIELD_OPEN_IN_TMP_H

#include "../state/sealed_state.h"
#include "open_fastpath.h"

/* Opens that reference, as in read_only_mounts.h. 0: none. */
int32_t keep_tmp_directory(void);

/* Opens or creates a file with these flags. TO_BE_JUDGED: the path as written is not allowed, or leads elsewhere. */
int64_t open_in_tmp(const struct open_call *o, uint64_t flags);

#endif
