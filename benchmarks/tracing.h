/* For the programs here that trace another by ptrace(2). */
#ifndef BENCH_TRACING_H
#define BENCH_TRACING_H

#include <errno.h>
#include <linux/ptrace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without sys/ptrace.h, whose names are those of linux/ptrace.h, and whose older ones lack what is needed. */
static inline long trace(int request, pid_t task, long address, void *data)
{
    return syscall(SYS_ptrace, request, task, address, data);
}

static inline void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(125);
}

#endif
