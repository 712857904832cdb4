/* The paths of this program and of the library beside it. */
#ifndef SHIELD_OWN_PATH_H
#define SHIELD_OWN_PATH_H

#include "../core/text.h"

#define SELF "/proc/self/exe"
#define LIBRARY "libshield.so"

/* The path of libshield.so, as a preload can name it. */
bool library_path(char *to, size_t cap, struct writer *error);
/* Whether this file is the running program, under any name. */
bool is_self(const char *path);

#endif
