/* What an engine inside the process cannot stop (docs/security/limits.md): hostile native code. Each function returns
 * what the kernel gave, so that the tests can show that the limit is real. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
static const unsigned char system_call[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */

static long open_at(const unsigned char *instruction, const char *path)
{
    long result;
    register const unsigned char *target __asm__("r8") = instruction;
    __asm__ volatile("call *%%r8"
                     : "=a"(result), "+r"(target)
                     : "a"(SYS_open), "D"(path), "S"((long)O_RDONLY), "d"(0L)
                     : "rcx", "r9", "r10", "r11", "memory");
    return result;
}
#else
static const unsigned char system_call[] = {0x01, 0, 0, 0xd4, 0xc0, 0x03, 0x5f, 0xd6}; /* svc #0; ret */

static long open_at(const unsigned char *instruction, const char *path)
{
    register long nr __asm__("x8") = SYS_openat;
    register long result __asm__("x0") = AT_FDCWD;
    register const char *name __asm__("x1") = path;
    register long flags __asm__("x2") = O_RDONLY;
    register long mode __asm__("x3") = 0;
    __asm__ volatile("blr %1"
                     : "+r"(result)
                     : "r"(instruction), "r"(nr), "r"(name), "r"(flags), "r"(mode)
                     : "x30", "memory");
    return result;
}
#endif

/* getppid is not guarded, so its instruction stands behind no gate; a ret follows it. */
long open_at_libc_instruction(const char *path)
{
    const unsigned char *p = (const unsigned char *)getppid;
    for (int i = 0; i < 32; i++)
        if (!memcmp(p + i, system_call, sizeof system_call))
            return open_at(p + i, path);
    return -ENOENT;
}

#if defined(__x86_64__)
/* mov $0xc3050f, %eax: from its second byte on it is a system call and a ret. */
long open_at_hidden_instruction(const char *path)
{
    static const unsigned char *hidden;
    __asm__ volatile("jmp 1f\n0: .byte 0xb8, 0x0f, 0x05, 0xc3, 0x00\n ret\n1: lea 0b(%%rip), %0"
                     : "=r"(hidden));
    return open_at(hidden + 1, path);
}
#endif

long open_in_own_code(const char *path)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    memcpy(page, system_call, sizeof system_call);
    __builtin___clear_cache(page, (char *)page + sizeof system_call);
    return open_at(page, path);
}

static volatile int stop, guess, caught = -1;

static void *grab(void *unused)
{
    (void)unused;
    while (!stop && caught < 0) {
        char byte;
        if (pread(guess, &byte, 1, 0) == 1 && byte == 'c') /* "content"; others use that number as well */
            caught = byte;
    }
    return NULL;
}

/* Another thread reads from the descriptor that a refused open will have had for a moment. The first byte, or -1. */
int read_between_open_and_refusal(const char *path, int tries)
{
    pthread_t thread;
    int lowest = open("/", O_PATH);
    close(lowest);
    guess = lowest;
    pthread_create(&thread, NULL, grab, NULL);
    for (int i = 0; i < tries && caught < 0; i++)
        open(path, O_RDONLY);
    stop = 1;
    pthread_join(thread, NULL);
    return caught;
}
