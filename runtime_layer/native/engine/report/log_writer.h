/* Writes lines to the log: a copy of the function's stderr, which the program cannot close (fds/fd_syscalls.c). */
#ifndef SHIELD_LOG_WRITER_H
#define SHIELD_LOG_WRITER_H

#include "../../core/text.h"

/* Keeps a copy of stderr on a high descriptor, and returns it; -1 when stderr is closed. `inherited`: the parent's copy, or
 * -1. */
int32_t keep_log(int32_t inherited);
/* Writes one line without raising SIGPIPE. False when it could not be written. `patience`: seconds and nanoseconds to wait for
 * room, reduced by the wait; NULL: no wait. */
bool log_write(int32_t descriptor, const char *line, uint32_t len, uint64_t patience[2]);

/* The function's identity, for the beginning of each line. */
struct text line_origin(void);
enum { LINE_WORD = 40 /* the longest of the engine's own words in a line */ };
/* Begins a line of the engine's own, with a newline in front, as the program's last line may be unfinished. */
void begin_line(struct writer *w, struct text event, struct text level);
void put_field(struct writer *w, const char *name, uint64_t value);
/* Ends the line, and writes it as log_write does. False: it has no room, or was not written. */
bool end_line(struct writer *w, uint64_t patience[2]);

#endif
