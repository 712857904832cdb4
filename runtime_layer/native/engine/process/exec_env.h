/* The path and the environment of a program that is started, in the gate's own memory.
 *
 * The caller's strings are copied before they are read, so that no other thread can turn one into a setting of the loader's
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

/* Copies `path`, and `envp` with our settings and preload put back. 0, or an errno. */
int64_t child_start_make(struct child_start *start, struct text path, uint64_t envp);
/* To be called after a failed exec. After a vfork child's successful one, its parent releases the memory when it starts another
 * program and the child is gone. */
void child_start_release(const struct child_start *start);

#endif
