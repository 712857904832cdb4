/* Lists the names in a directory, without an allocator. */
#ifndef SHIELD_READDIR_H
#define SHIELD_READDIR_H

#include "../../core/text.h"
#include "raw_syscall.h"

/* struct linux_dirent64 (getdents64(2)) */
struct entry {
    uint64_t ino, offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* Calls `each` for every name, and returns whether all calls returned true. `path` is terminated. A directory that is missing,
 * or in which nothing can be opened, has no names; false if it cannot be listed. */
bool each_entry(const char *path, char *buffer, uint32_t cap, bool (*each)(void *context, struct text name),
                void *context);

#endif
