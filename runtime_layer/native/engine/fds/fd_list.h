/* Lists the open descriptors of this process. */
#ifndef SHIELD_FD_LIST_H
#define SHIELD_FD_LIST_H

#include <stdbool.h>
#include <stdint.h>

enum list_result { NONE_OF_THEM, ONE_OF_THEM, NOT_LISTED };

/* Calls `each` for every open descriptor until it returns true. NOT_LISTED: they cannot be listed (landlock(7)). */
enum list_result for_each_descriptor(bool (*each)(int32_t descriptor));
/* Whether a ring of io_uring may be open or mapped. Its calls bypass the gate (io_uring(7)), and a program that has a ring
 * cannot be refused its use: libuv would abort. */
bool has_io_uring(void);

#endif
