/* Text that is mapped while the program runs: it is scanned and patched before it can be executed. */
#ifndef SHIELD_MMAP_EXEC_H
#define SHIELD_MMAP_EXEC_H

#include "../base/syscall_ctx.h"
#include "../sites/patch.h"

/* Makes an mmap call for a private executable mapping of a file: mapped without execute permission, patched, then
 * made executable. What mmap says, or -EACCES. */
int64_t map_text(const struct call *call);

/* A text whose loader has written to it, as its file says, becomes what `call` asks for: it is searched and patched first. 0, or
 * an errno. */
int64_t open_relocated_text(const struct call *call, uint64_t low, uint64_t high);

/* Is there a text with a system call that could not be guarded, as nothing was blocked when it was loaded? */
bool has_unguarded_text(void);

#endif
