/* A library that stands in front of libc: it counts what malloc is asked for, and says so in the host's name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

static unsigned long asked;

void *malloc(size_t size)
{
    static void *(*next)(size_t);
    if (!next)
        next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    __atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
    return next(size);
}

int gethostname(char *name, size_t size)
{
    snprintf(name, size, "%s", __atomic_load_n(&asked, __ATOMIC_RELAXED) > 100 ? "interposed" : "idle");
    return 0;
}
