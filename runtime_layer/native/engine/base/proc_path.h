/* Paths by /proc: of a descriptor's file, and of an entry in a directory. */
#ifndef SHIELD_PROC_PATH_H
#define SHIELD_PROC_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "../../core/text.h"

/* The path of an open descriptor as the kernel knows it; empty when it has none. */
struct text path_of(int32_t descriptor, char *buffer, uint32_t cap);
/* "/proc/thread-self/fd/N" and, unless it is empty, "/name"; terminated. False when it does not fit. */
bool path_through(int32_t descriptor, struct text name, char *buffer, uint32_t cap);

#endif
