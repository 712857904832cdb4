/* A library that makes its own system calls by instructions that look otherwise. */
#include <asm/unistd.h>

/* The kernel does not look at the number that the instruction itself holds. */
long inline_open_by_another_svc(const char *path)
{
    register long nr __asm__("x8") = __NR_openat;
    register long result __asm__("x0") = -100;
    register const char *name __asm__("x1") = path;
    register long flags __asm__("x2") = 0;
    register long mode __asm__("x3") = 0;
    __asm__ volatile("svc #0x1234" : "+r"(result) : "r"(nr), "r"(name), "r"(flags), "r"(mode) : "memory");
    return result;
}

/* Linux looks at the lower half of the register. */
long inline_open_with_high_bits(const char *path)
{
    register long nr __asm__("x8") = (1L << 32) + __NR_openat;
    register long result __asm__("x0") = -100;
    register const char *name __asm__("x1") = path;
    register long flags __asm__("x2") = 0;
    register long mode __asm__("x3") = 0;
    __asm__ volatile("svc #0" : "+r"(result) : "r"(nr), "r"(name), "r"(flags), "r"(mode) : "memory");
    return result;
}

/* The constant in front of the instruction is not the number: a load of two registers overwrites it. */
long inline_open_with_a_number_from_a_pair(const char *path)
{
    const long numbers[2] = {0, __NR_openat};
    register long result __asm__("x0") = -100;
    register const char *name __asm__("x1") = path;
    register long flags __asm__("x2") = 0;
    register long mode __asm__("x3") = 0;
    register const long *pair __asm__("x9") = numbers;
    __asm__ volatile("mov x8, %5\n ldp x10, x8, [%4]\n svc #0"
                     : "+r"(result)
                     : "r"(name), "r"(flags), "r"(mode), "r"(pair), "i"(__NR_getpid)
                     : "memory", "x8", "x10");
    return result;
}
