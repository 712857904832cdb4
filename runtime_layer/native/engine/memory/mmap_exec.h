/* Maps text while the program runs: it is scanned and patched before it becomes executable. */
#ifndef SHIELD_MMAP_EXEC_H
#define SHIELD_MMAP_EXEC_H

#include "../base/syscall_ctx.h"
#include "../sites/patch.h"

/* Carries out mmap for a private executable mapping of a file: maps it without execute permission, patches it, and makes it
 * executable. Returns mmap's result, or -EACCES. */
int64_t map_text(const struct call *call);

/* Searches and patches a text that its loader has relocated, then gives it the protection of `call`. 0, or an errno. */
int64_t open_relocated_text(const struct call *call, uint64_t low, uint64_t high);

/* Whether a text with an unguarded system call was mapped while no policy blocked. */
bool has_unguarded_text(void);

#endif
