/* The descriptor that alert lines go to: the function's own stderr, kept where the program cannot lose it
 * (fds/fd_syscalls.c). */
#ifndef SHIELD_LOG_WRITER_H
#define SHIELD_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps a copy of stderr on a high descriptor; `inherited` is one that a parent kept, or -1. Returns it, or
 * -1 when stderr is closed. */
int32_t keep_log(int32_t inherited);
/* Writes one line without ever raising SIGPIPE. False when it could not be written. `patience`: seconds and nanoseconds to wait
 * for room, reduced by the wait; NULL: no wait. */
bool log_write(int32_t descriptor, const char *line, uint32_t len, uint64_t patience[2]);

#endif
