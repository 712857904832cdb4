/* Makes the path and the environment of a new program, in the gate's own memory.
 *
 * The caller's strings are copied before they are read, so that no other thread can turn one into a variable of the loader
 * afterwards.
 */
#ifndef SHIELD_EXEC_ENV_H
#define SHIELD_EXEC_ENV_H

#include "../../core/text.h"

struct child_start {
    const char *path;
    const uint64_t *environment; /* terminated pointers, as execve takes them */
    uint64_t memory, size;       /* for child_start_release */
};

/* Copies `path`, and `envp` with the shield's settings and preload. `program`: the program's own path; empty: unknown. 0, or an
 * errno. */
int64_t child_start_make(struct child_start *start, struct text path, struct text program, uint64_t envp);
/* Must be called after a failed exec. After a successful one of a vfork child, its parent releases the memory when it starts
 * another program and the child has ended. */
void child_start_release(const struct child_start *start);

#endif
