/* Paths by /proc: of a descriptor's file, and of an entry in a directory; and the lines of /proc/self/maps, without an allocator. */
#ifndef SHIELD_PROCFS_H
#define SHIELD_PROCFS_H

#include "../../core/text.h"
#include "raw_syscall.h"

/* The path of an open descriptor as the kernel knows it; empty when it has none. */
struct text path_of(int32_t descriptor, char *buffer, uint32_t cap);
/* "/proc/thread-self/fd/N" and, unless it is empty, "/name"; terminated. False when it does not fit. */
bool path_through(int32_t descriptor, struct text name, char *buffer, uint32_t cap);

struct mapping {
    uint64_t low, high, offset;
    bool executable, writable;
    uint64_t ino;
    struct text path; /* empty for anonymous memory; ends before " (deleted)" only if the name does */
};

/* Calls `each` until it returns true. False when the file cannot be read, or a line is longer than the buffer. */
bool each_mapping(char *buffer, uint32_t cap, bool (*each)(void *context, const struct mapping *m),
                  void *context);

#endif
