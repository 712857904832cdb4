/* A library whose constructor makes a system call of its own, nothing of libc between: it opens a file in /tmp and says
 * what the kernel, or the gate, gave. */
#include <asm/unistd.h>
#include <stdio.h>

static long open_file(const char *path)
{
    register long nr __asm__("x8") = __NR_openat;
    register long result __asm__("x0") = -100;
    register const char *name __asm__("x1") = path;
    register long flags __asm__("x2") = 0;
    register long mode __asm__("x3") = 0;
    __asm__ volatile("svc #0" : "+r"(result) : "r"(nr), "r"(name), "r"(flags), "r"(mode) : "memory");
    return result;
}

__attribute__((constructor)) static void loaded(void)
{
    printf("loaded %ld\n", open_file("/tmp/there"));
    fflush(stdout);
}
