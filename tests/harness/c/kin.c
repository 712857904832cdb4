/* Processes that share this one's memory, as vfork(2) makes them.
 *
 *   kin exec LISTED OTHER   a thread of such a process lays OTHER over the descriptor of LISTED while that is started;
 *                           counts times that OTHER ran, which fails
 *   kin file LIBRARY        the same with a memory file of our own code while a library is mapped; counts times it ran
 *   kin dead|unreaped       such processes die amid changes of descriptors and of mappings; then a thread opens a file,
 *                           lays a descriptor over another and maps a library: counts what fails
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SHARED = 50,
    SIZE = 65536,
    STACK = 1 << 18,
    SECONDS = EFFORT,
    STARTS = 200,
    DEATHS = 150,
    HALF = 4 << 20,
    NOT_STARTED = 9
};
#if defined(__x86_64__)
static const char answer_42[] = "\xb8\x2a\0\0\0\xc3"; /* mov $42, %eax; ret */
#else
static const char answer_42[] = "\x40\x05\x80\x52\xc0\x03\x5f\xd6"; /* mov w0, #42; ret */
#endif
static int one, two, starts, reaps;
static atomic_int stop, turns, got;
static char stacks[2][STACK] __attribute__((aligned(64)));

static void pause_a_little(void)
{
    for (volatile int i = rand() % 2000; i > 0; i--)
        ;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int exchange(void *unused)
{
    (void)unused;
    for (; !stop; turns++) {
        dup2(two, SHARED);
        pause_a_little();
        dup2(one, SHARED);
        pause_a_little();
    }
    return 0;
}

static int kin(void *unused)
{
    enum { THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };
    char *arguments[] = {"other", NULL}, *environment[] = {NULL};
    (void)unused;
    dup2(one, SHARED);
    if (clone(exchange, stacks[1] + STACK, THREAD, NULL) < 0)
        _exit(NOT_STARTED);
    while (starts && turns < 2)
        ;
    if (starts)
        syscall(SYS_execveat, SHARED, "", arguments, environment, AT_EMPTY_PATH);
    for (double end = now() + SECONDS; !starts && now() < end && !got;) {
        char *text = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, SHARED, 0);
        if (text == MAP_FAILED)
            continue;
        if (!memcmp(text, answer_42, sizeof answer_42 - 1))
            got += ((int (*)(void))text)() == 42;
        munmap(text, SIZE);
    }
    _exit(NOT_STARTED);
}

static void run_kin(void)
{
    int status = 0;
    stop = turns = 0;
    pid_t child = clone(kin, stacks[0] + STACK, CLONE_VM | SIGCHLD, NULL);
    if (child < 0)
        exit(2);
    waitpid(child, &status, 0);
    stop = 1;
    got += WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE;
}

static void die_amid(int kind, char *place)
{
    const struct itimerval soon = {.it_value.tv_usec = 200 + rand() % 300};
    pid_t child = vfork();
    if (!child) {
        setitimer(ITIMER_REAL, &soon, NULL);
        for (;;) {
            if (kind) {
                memset(place, 1, HALF);
                syscall(SYS_mmap, place, HALF, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            } else {
                syscall(SYS_close_range, 3, ~0u, 0);
            }
        }
    }
    if (reaps)
        waitpid(child, NULL, 0);
}

static void *look(void *unused)
{
    (void)unused;
    int file = open("/proc/self/exe", O_RDONLY);
    got += file < 0;
    got += dup2(file, SHARED) != SHARED;
    got += mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char code[SIZE] = {0};
    const char *kind = argc > 1 ? argv[1] : "";
    reaps = !strcmp(kind, "dead");
    if (reaps || !strcmp(kind, "unreaped")) {
        char *place = mmap(NULL, HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < 2 * DEATHS; i++)
            die_amid(i % 2, place);
        pthread_create(&thread, NULL, look, NULL);
        pthread_join(thread, NULL);
        printf("%d\n", got);
        return 0;
    }
    if (argc < 3)
        return 2;
    one = open(argv[2], O_RDONLY);
    starts = !strcmp(kind, "exec");
    two = starts ? open(argv[3], O_RDONLY) : memfd_create("own", 0);
    memcpy(code, answer_42, sizeof answer_42);
    if (one < 0 || two < 0 || (!starts && write(two, code, SIZE) != SIZE))
        return 2;
    for (int i = 0; i < (starts ? STARTS : 1); i++)
        run_kin();
    printf("%d\n", got);
    return 0;
}
