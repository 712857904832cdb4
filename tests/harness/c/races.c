/* Two threads against the gate: one makes a guarded call over and over, the other changes something under it.
 *
 *   races descriptor  lays a reference to /proc/self/mem over the descriptors that the gate opens; counts opens of
 *                     /dev/null that gave the memory, open for writing
 *   races place       lays a memory file with code of ours over the mapping of a library that is being made; counts times
 *                     that the code ran
 *   races environment turns a variable into one of the loader's while a listed program is started; counts children
 *                     that had it
 * `place` takes a library, of which it is not known that it needs no search, as second argument, `environment` the listed program, a shell.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = EFFORT };
static atomic_int stop;
static int planted, first;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *plant(void *unused)
{
    (void)unused;
    while (!stop) {
        dup2(planted, first);
        close(first);
    }
    return NULL;
}

static int opens_of_memory(void)
{
    int got = 0;
    for (double end = now() + SECONDS; now() < end;) {
        char link[64], path[64];
        int file = open("/dev/null", O_RDWR);
        if (file < 0)
            continue;
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t n = readlink(link, path, sizeof path - 1);
        int writes = (fcntl(file, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDWR;
        path[n < 0 ? 0 : n] = 0;
        got += writes && strstr(path, "/mem") != NULL;
        if (file != first)
            close(file);
    }
    return got;
}

static char variable[] = "XD_BIND_NOT=1:/tmp/evil.so";

static void *flip(void *unused)
{
    (void)unused;
    memcpy(variable, "XD_AUDIT=", 9);
    while (!stop)
        variable[0] ^= 'X' ^ 'L';
    return NULL;
}

static int children_with_variable(char *program)
{
    int got = 0, status;
    char *arguments[] = {program, "-c", "test -z \"$LD_AUDIT\"", NULL}, *environment[] = {variable, NULL};
    for (double end = now() + SECONDS; now() < end;) {
        pid_t child;
        if (posix_spawn(&child, program, NULL, NULL, arguments, environment) ||
            waitpid(child, &status, 0) != child)
            continue;
        got += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return got;
}

enum { SIZE = 1 << 20 };
#if defined(__x86_64__)
static const char answer_42[] = "\xb8\x2a\0\0\0\xc3"; /* mov $42, %eax; ret */
#else
static const char answer_42[] = "\x40\x05\x80\x52\xc0\x03\x5f\xd6"; /* mov w0, #42; ret */
#endif
static int memory_file, library;
static char *place;
static sigjmp_buf before;

static void pause_a_little(void)
{
    for (volatile int i = rand() % 3000; i > 0; i--)
        ;
}

static void *exchange_place(void *unused)
{
    (void)unused;
    while (!stop) {
        mmap(place, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, memory_file, 0);
        pause_a_little();
    }
    return NULL;
}

static void fault(int signal)
{
    (void)signal;
    siglongjmp(before, 1);
}

static int answers_42(void *code)
{
    volatile int answer = 0;
    if (!sigsetjmp(before, 1) && !memcmp(code, answer_42, sizeof answer_42 - 1))
        answer = ((int (*)(void))code)();
    return answer == 42;
}

static int runs_of_own_code(void)
{
    int got = 0;
    for (double end = now() + SECONDS; now() < end && !got;) {
        char *text = mmap(place, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, library, 0);
        if (text == MAP_FAILED)
            continue;
        got += answers_42(text);
        munmap(text, SIZE); /* over text that stays nothing is ever laid */
    }
    return got;
}

static void prepare_code(const char *path)
{
    static char code[SIZE];
    memcpy(code, answer_42, sizeof answer_42 - 1);
    memory_file = memfd_create("code", 0);
    library = open(path, O_RDONLY);
    place = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (write(memory_file, code, SIZE) != SIZE || library < 0)
        exit(2);
    signal(SIGSEGV, fault);
    signal(SIGBUS, fault);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    int descriptor = !strcmp(kind, "descriptor"), at = !strcmp(kind, "place");
    if (!descriptor && argc < 3)
        return 2;
    planted = open("/proc/self/mem", O_PATH);
    first = dup(0);
    close(first);
    if (at)
        prepare_code(argv[2]);
    pthread_t thread;
    pthread_create(&thread, NULL, descriptor ? plant : at ? exchange_place : flip, NULL);
    int got = descriptor ? opens_of_memory() : at ? runs_of_own_code() : children_with_variable(argv[2]);
    stop = 1;
    pthread_join(thread, NULL);
    printf("%d\n", got);
    return 0;
}
