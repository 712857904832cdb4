/* Running a program to read what it says. */
#ifndef SHIELD_CAPTURE_H
#define SHIELD_CAPTURE_H

#include <stddef.h>

enum { CAPTURE_SECONDS = 8 };

/* Runs argv[0] with nothing on its standard input; `out` gets the first cap - 1 bytes of what it writes to
 * either output, terminated. A program that is still running after CAPTURE_SECONDS is killed. Returns the
 * number of bytes, or -1 with errno when it could not be started. */
long capture_output(char *const argv[], char *const envp[], char *out, size_t cap);

#endif
