/* Text that is mapped while the program runs: it is scanned and patched before it can be executed. */
#ifndef SHIELD_MMAP_EXEC_H
#define SHIELD_MMAP_EXEC_H

#include "../base/syscall_ctx.h"
#include "../sites/patch.h"

/* Makes an mmap call for a private executable mapping of a file: mapped without execute permission, patched, then made
 * executable. The result of mmap, or -EACCES. */
int64_t map_text(const struct call *call);

/* Gives a text that its loader has relocated the protection that `call` asks for: it is searched and patched first. 0, or an
 * errno. */
int64_t open_relocated_text(const struct call *call, uint64_t low, uint64_t high);

/* Is there a text with a system call that could not be guarded, loaded while no policy blocked? */
bool has_unguarded_text(void);

#endif
