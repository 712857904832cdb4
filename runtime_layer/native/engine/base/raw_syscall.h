/* Raw system calls, without libc.
 *
 * The gate runs below libc, in signal handlers and in vfork children, so nothing here uses errno, TLS or a lock.
 */
#ifndef SHIELD_RAW_SYSCALL_H
#define SHIELD_RAW_SYSCALL_H

#include <asm/errno.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Newer than some of the headers that this is compiled with; the numbers are the same on all architectures. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#endif
#ifndef __NR_getxattrat
#define __NR_getxattrat 464
#endif
#ifndef __NR_listxattrat
#define __NR_listxattrat 465
#endif
#ifndef __NR_removexattrat
#define __NR_removexattrat 466
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467
#endif
#ifndef __NR_file_setattr
#define __NR_file_setattr 469
#endif

#if defined(__x86_64__)
static inline int64_t kernel_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                  uint64_t f)
{
    int64_t result;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline int64_t kernel_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                  uint64_t f)
{
    register int64_t x8 __asm__("x8") = nr;
    register uint64_t x0 __asm__("x0") = a;
    register uint64_t x1 __asm__("x1") = b;
    register uint64_t x2 __asm__("x2") = c;
    register uint64_t x3 __asm__("x3") = d;
    register uint64_t x4 __asm__("x4") = e;
    register uint64_t x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return (int64_t)x0;
}
#else
#error "shielded-function runs on x86_64 and aarch64"
#endif

/* For an argument that a call does not take: whatever the register holds. */
static inline uint64_t no_argument(void)
{
    uint64_t value;
    __asm__ volatile("" : "=r"(value));
    return value;
}

#define KERNEL_6_(nr, a, b, c, d, e, f, ...)                                                                 \
    kernel_call((nr), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e),             \
                (uint64_t)(f))
/* KERNEL(openat, dir, path, flags, 0), with all arguments that the call takes. */
#define KERNEL(name, ...)                                                                                    \
    KERNEL_6_(__NR_##name, __VA_ARGS__ __VA_OPT__(, ) no_argument(), no_argument(), no_argument(),           \
              no_argument(), no_argument(), no_argument(), 0)

/* Headers of another architecture would compile too, with wrong numbers. */
#if defined(__x86_64__)
_Static_assert(sizeof(struct stat) == 144 && offsetof(struct stat, st_mode) == 24, "x86_64's struct stat");
#else
_Static_assert(sizeof(struct stat) == 128 && offsetof(struct stat, st_mode) == 16, "aarch64's struct stat");
#endif

/* A result in this range is an errno; anything else, even if negative as a number, is a value. */
static inline bool is_error(int64_t result)
{
    return result < 0 && result >= -4095;
}

enum { PAGE = 4096 };

static inline uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(PAGE - 1);
}

static inline uint64_t page_up(uint64_t address)
{
    return (address + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Maps whole pages of zeroes. NULL: there is no memory. */
static inline void *new_memory(uint64_t size)
{
    int64_t at = KERNEL(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return is_error(at) ? NULL : (void *)at;
}

/* Identifies the calling thread. */
static inline uint64_t thread_pointer(void)
{
    uint64_t self = 0;
#if defined(__x86_64__)
    enum { ARCH_GET_FS = 0x1003 };
    KERNEL(arch_prctl, ARCH_GET_FS, &self);
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(self));
#endif
    return self;
}

#endif
