/* The open descriptors of this process. */
#ifndef SHIELD_FD_LIST_H
#define SHIELD_FD_LIST_H

#include <stdbool.h>
#include <stdint.h>

enum listed { NONE_OF_THEM, ONE_OF_THEM, NOT_LISTED };

/* Calls `each` for every open descriptor until it returns true. NOT_LISTED: they cannot be listed (landlock(7)). */
enum listed for_each_descriptor(bool (*each)(int32_t descriptor));
/* May there be a ring of io_uring, open or mapped? Calls through one pass no gate (io_uring(7)), and it cannot be refused to a
 * program that has it: libuv aborts. */
bool has_io_uring(void);

#endif
