/* What a program is started with: its path and its environment, in memory of the gate's own.
 *
 * The caller's strings are copied before they are looked at, so that no other thread can turn one into a setting of
 * the loader's afterwards.
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
/* After an exec that failed. One that succeeded in a vfork child leaves the memory to its parent, which gives it back
 * when it starts another program and the child is gone. */
void child_start_release(const struct child_start *start);

#endif
