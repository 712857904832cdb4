/* For code that runs before any library could see it: a file in /tmp, by calls of its own. */
#ifndef MARK_H
#define MARK_H

#include <fcntl.h>
#include <sys/syscall.h>

#include "own_call.h"

static inline void leave_mark(void)
{
    long file = call(SYS_openat, AT_FDCWD, (long)"/tmp/mark", O_CREAT | O_WRONLY, 0644);
    call(SYS_write, file, (long)"mark", 4, 0);
}

#endif
