/* How this program finds itself, and the library beside it. */
#ifndef SHIELD_OWN_PATH_H
#define SHIELD_OWN_PATH_H

#include "../core/text.h"

#define SELF "/proc/self/exe"
#define LIBRARY "libshield.so"

/* The path of libshield.so, as a preload can name it. */
bool library_path(char *to, size_t cap, struct writer *error);
/* Is this file our own program, under any name? */
bool is_self(const char *path);

#endif
