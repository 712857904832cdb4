/* Writes lines to the log: a copy of the function's stderr, which the program cannot close (fds/fd_syscalls.c). */
#ifndef SHIELD_LOG_WRITER_H
#define SHIELD_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps a copy of stderr on a high descriptor, and returns it; -1 when stderr is closed. `inherited`: the parent's copy, or
 * -1. */
int32_t keep_log(int32_t inherited);
/* Writes one line without raising SIGPIPE. False when it could not be written. `patience`: seconds and nanoseconds to wait for
 * room, reduced by the wait; NULL: no wait. */
bool log_write(int32_t descriptor, const char *line, uint32_t len, uint64_t patience[2]);

#endif
