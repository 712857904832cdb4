/* For programs that do something in the midst of their own guarded calls. Each prints how often it got what it must not
 * get, and how often it tried. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = EFFORT, GOT = 77 };

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a descriptor leads to. */
static inline const char *target_of(int descriptor)
{
    static _Thread_local char found[256];
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, found, sizeof found - 1);
    found[n > 0 ? n : 0] = 0;
    return found;
}

/* Whether it is a process's memory, open for writing. In this order: another thread may lay a reference, which is never open
 * for writing, over what is open. */
static inline int is_memory(int descriptor)
{
    return strstr(target_of(descriptor), "/mem") &&
           (fcntl(descriptor, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDWR;
}

struct place {
    unsigned long low, high, offset;
};

/* The first mapping of a file with these rights that holds an address, or any if that is 0. */
static inline struct place find_mapping(const char *file, const char *rights, unsigned long address)
{
    char line[512], how[8];
    struct place found = {0, 0, 0}, p;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && !found.low && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s %lx", &p.low, &p.high, how, &p.offset) == 4 && strstr(line, file) &&
            !strcmp(how, rights) && (!address || (address >= p.low && address < p.high)))
            found = p;
    if (maps)
        fclose(maps);
    return found;
}

/* Whether this is the file that the tests put into /tmp. */
static inline int has_content(int descriptor)
{
    char bytes[8] = "";
    return descriptor >= 0 && syscall(SYS_pread64, descriptor, bytes, 7, 0L) == 7 &&
           !strcmp(bytes, "content");
}

/* Waits for a child; what it ended with. */
static inline int end_of(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void soon(int microseconds)
{
    struct itimerval once = {{0, 0}, {0, 1 + rand() % microseconds}};
    setitimer(ITIMER_REAL, &once, NULL);
}

static inline int print(int got, long tries)
{
    printf("%d %ld\n", got, tries);
    fflush(stdout);
    return 0;
}
