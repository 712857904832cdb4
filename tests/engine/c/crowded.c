/* Takes all memory in reach of libc but for one small gap, then loads the engine (argv[1]), which needs room for its
 * trampolines there. Prints "ok" when it was loaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__x86_64__)
enum { REACH = 0x70000000 };
#else
enum { REACH = 0x8000000 };
#endif
enum { GAP = 0x40000, SMALLEST = 0x1000 };

static void take(uintptr_t from, uintptr_t to)
{
    for (size_t size = 1 << 30; size >= SMALLEST; size /= 2)
        for (uintptr_t at = from; at + size <= to; at += size)
            (void)mmap((void *)at, size, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
}

int main(int argc, char **argv)
{
    uintptr_t libc = (uintptr_t)dlsym(RTLD_DEFAULT, "malloc") & ~(uintptr_t)(SMALLEST - 1);
    void *gap = NULL;
    if (argc != 2)
        return 2;
    /* Above the libraries: below them, the kernel would find it by itself. */
    for (uintptr_t at = libc + REACH / 2 + 0x123000; !gap && at < libc + REACH; at += GAP) {
        void *got =
            mmap((void *)at, GAP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        gap = got == MAP_FAILED ? NULL : got;
    }
    if (!gap)
        return 3;
    take(libc - REACH, libc + REACH);
    munmap(gap, GAP);
    void *library = dlopen(argv[1], RTLD_NOW);
    puts(library ? "ok" : dlerror());
    fflush(stdout);
    return 0;
}
