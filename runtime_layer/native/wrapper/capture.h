/* Runs a program and reads its output. */
#ifndef SHIELD_CAPTURE_H
#define SHIELD_CAPTURE_H

#include <stddef.h>

enum { CAPTURE_SECONDS = 8 };

/* Runs argv[0] with an empty standard input; `out` gets the first cap - 1 bytes of both its outputs,
 * terminated. A program that is still running after CAPTURE_SECONDS is killed. Returns the number of bytes,
 * or -1 with errno when it could not be started. */
long capture_output(char *const argv[], char *const envp[], char *out, size_t cap);

#endif
