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
#include <ucontext.h>
#include <unistd.h>

enum { SECONDS = EFFORT, LOWEST = 3, HIGHEST = 10, OUT_OF_THE_WAY = 500, OWN_FIRST = 768, GOT = 77 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void pause_a_little(int longest)
{
    for (volatile int i = rand() % longest; i > 0; i--)
        ;
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

static inline int leads_to(int descriptor, const char *path)
{
    return !strcmp(target_of(descriptor), path);
}

/* Whether it is a process's memory, open for writing. In this order: another thread may lay a reference, which is never open
 * for writing, over what is open. */
static inline int is_memory(int descriptor)
{
    return strstr(target_of(descriptor), "/mem") &&
           (fcntl(descriptor, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDWR;
}

/* The number of the gate's own reference to what it is about to judge, or was judging; or -1. It is low for a moment, and
 * then one of those that are the gate's (own_fds.h). */
static inline int reference_to(const char *path)
{
    for (int k = OWN_FIRST; k < OWN_FIRST + HIGHEST; k++)
        if (leads_to(k, path))
            return k;
    for (int k = LOWEST; k < HIGHEST; k++)
        if (leads_to(k, path))
            return k;
    return -1;
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

static inline void *shared_memory(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
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

/* Interruptions of the gate at every one of its instructions, by the processor's own single steps. Where those are not
 * to be had (aarch64), by a timer. */
static int (*at_place)(void); /* returns whether to come again at the next instruction */
static volatile long place, first_place;
static unsigned long gate_low, gate_high;
static double last; /* who is interrupted too often on a slow machine would never come to its end */

#if defined(__x86_64__)
enum { SIGNAL = SIGTRAP, TRAP_FLAG = 0x100 };
#define INTERRUPTED(context) ((unsigned long)(context)->uc_mcontext.gregs[REG_RIP])

static inline void come_again(ucontext_t *context, int again)
{
    if (again)
        context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
    else
        context->uc_mcontext.gregs[REG_EFL] &= ~(long long)TRAP_FLAG;
}

static inline void come_first(void)
{
    __asm__ volatile("sub $128, %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n add $128, %%rsp" ::
                         : "memory", "cc");
}
#else
enum { SIGNAL = SIGALRM };
#define INTERRUPTED(context) ((unsigned long)(context)->uc_mcontext.pc)

static inline void come_again(ucontext_t *context, int again)
{
    (void)context;
    if (again)
        soon(200);
}

static inline void come_first(void)
{
    soon(200);
}
#endif

static void interrupt(int number, siginfo_t *info, void *context)
{
    unsigned long at = INTERRUPTED((ucontext_t *)context);
    (void)number;
    (void)info;
    int is_gate = at >= gate_low && at < gate_high, again = at_place && now() < last;
    come_again(context, 0);
    if (again && is_gate && place++ >= first_place)
        again = at_place();
    come_again(context, again);
}

static inline void find_gate(void)
{
    struct place gate = find_mapping("libshield.so", "r-xp", 0);
    gate_low = gate.low;
    gate_high = gate.high;
    struct sigaction action = {.sa_sigaction = interrupt, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    /* Not in this handler, where SIGNAL is blocked: the kernel ends a process that it steps through with SIGNAL blocked. */
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaction(SIGNAL, &action, NULL);
    last = now() + SECONDS + 1;
    srand((unsigned)(now() * 1e6));
}

/* `then` runs in a signal handler, from the gate's instruction number `from` on. */
static inline void interrupt_what_follows(int (*then)(void), long from)
{
    place = 0;
    first_place = from;
    at_place = then;
    come_first();
}

static inline void interrupt_no_more(void)
{
    at_place = NULL;
}

/* A reference to a file that the function may not open: the gate's own, copied while it refuses. */
static const char *refused_path;
static volatile int stolen = -1;

static inline int steal(void)
{
    int k = reference_to(refused_path);
    if (k >= 0)
        stolen = fcntl(k, F_DUPFD, OUT_OF_THE_WAY);
    return stolen < 0;
}

static inline void steal_reference(const char *refused)
{
    refused_path = refused;
    for (double end = now() + SECONDS; now() < end && stolen < 0;) {
        interrupt_what_follows(steal, 0);
        close(open(refused, O_RDONLY | O_NOFOLLOW));
        interrupt_no_more();
    }
}
