/* An add-on that makes its own system calls, each in another shape of machine code: nothing of libc is on the way.
 * Errors come back as -errno. */
#include <asm/unistd.h>

#include "../../../harness/c/own_call.h"

enum { HERE = -100 };

#if defined(__x86_64__)

/* The number is loaded right before the instruction. */
long open_with_constant(const char *path)
{
    long result;
    __asm__ volatile("xor %%r10d, %%r10d\n\tmov %1, %%eax\n\tsyscall"
                     : "=a"(result)
                     : "i"(__NR_openat), "D"((long)HERE), "S"(path), "d"(0L)
                     : "rcx", "r10", "r11", "memory");
    return result;
}

/* The number is pushed and popped, as hand-written code likes to. */
long open_with_pushed_number(const char *path)
{
    long result;
    __asm__ volatile("push %1\n\tpop %%rax\n\tsyscall"
                     : "=a"(result)
                     : "i"(__NR_open), "D"(path), "S"(0L), "d"(0L)
                     : "rcx", "r11", "memory");
    return result;
}

/* Something jumps to the very instruction. */
long open_with_jump(const char *path)
{
    long result;
    __asm__ volatile("jmp 2f\n1:\tnop\n\tnop\n\tnop\n\tnop\n2:\tmov $2, "
                     "%%eax\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tsyscall"
                     : "=a"(result)
                     : "D"(path), "S"(0L), "d"(0L)
                     : "rcx", "r11", "memory");
    return result;
}

#endif

long open_with_variable(const char *path)
{
    return call(__NR_openat, HERE, (long)path, 0, 0);
}

long create_directory(const char *path)
{
    return call(__NR_mkdirat, HERE, (long)path, 0700, 0);
}

long connect_to(int socket, const void *address, long len)
{
    return call(__NR_connect, socket, (long)address, len, 0);
}
