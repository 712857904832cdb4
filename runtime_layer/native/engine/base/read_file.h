/* Reads whole files while the shield arms. */
#ifndef SHIELD_READ_FILE_H
#define SHIELD_READ_FILE_H

#include "../../core/text.h"

/* A file or /proc entry of less than `max` bytes, in new memory. `at` is NULL where it cannot be read. */
struct text read_whole_file(const char *path, uint64_t max);
/* Unmaps it; `max` as before. */
void drop_whole_file(struct text t, uint64_t max);

#endif
