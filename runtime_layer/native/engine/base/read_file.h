/* Reads whole files while the shield arms, and lists the names in a directory, without an allocator. */
#ifndef SHIELD_READ_FILE_H
#define SHIELD_READ_FILE_H

#include "../../core/text.h"
#include "raw_syscall.h"

/* A file or /proc entry of less than `max` bytes, in new memory. `at` is NULL where it cannot be read. */
struct text read_whole_file(const char *path, uint64_t max);
/* Unmaps it; `max` as before. */
void drop_whole_file(struct text t, uint64_t max);

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
