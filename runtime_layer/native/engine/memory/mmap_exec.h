/* Text that is mapped while the program runs: it is scanned and patched before it can be executed. */
#ifndef SHIELD_MMAP_EXEC_H
#define SHIELD_MMAP_EXEC_H

#include "../base/syscall_ctx.h"
#include "../sites/patch.h"

/* Makes an mmap call for a private executable mapping of a file: mapped without execute permission, patched, then
 * made executable. What mmap says, or -EACCES. */
int64_t map_text(const struct call *call);

/* Is there a text with a system call that could not be guarded, as nothing was blocked when it was loaded? */
bool has_unguarded_text(void);

#endif
