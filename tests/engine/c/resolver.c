/* A library with a function whose address is decided while it is linked (STT_GNU_IFUNC): what decides that runs before
 * every constructor, and opens /tmp by a call of its own. */
#include <fcntl.h>
#include <sys/syscall.h>

static int opened = -1;

static int one(void)
{
    return 1;
}

static void *decide(void)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_open), "D"("/tmp/there"), "S"(O_RDONLY), "d"(0)
                     : "rcx", "r11", "memory");
    opened = (int)result;
#endif
    return (void *)one;
}

int chosen(void) __attribute__((ifunc("decide")));

int was_opened(void)
{
    return chosen() == 1 && opened >= 0;
}
