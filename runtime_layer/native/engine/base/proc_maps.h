/* Reads /proc/self/maps line by line, without an allocator. */
#ifndef SHIELD_PROC_MAPS_H
#define SHIELD_PROC_MAPS_H

#include "../../core/text.h"
#include "raw_syscall.h"

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
