/* The calls that the benchmark times, in a process that stays: `calls` reads lines "NAME COUNT THREADS" and answers each
 * with the nanoseconds of one call, averaged over COUNT of them. The driver asks an unshielded and a shielded process in
 * turn, so that a machine that grows slower grows slower for both.
 *
 * calls [--cpu] [--descriptors N] [--names N]: time of the processor instead of the clock's; with N descriptors open, or
 * N names looked up, before anything is timed.
 */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int by_processor;

void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t nanoseconds(struct timeval t)
{
    return ((uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec) * 1000u;
}

uint64_t now(void)
{
    struct timespec t;
    struct rusage children = {0};
    clock_gettime(by_processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    if (by_processor)
        getrusage(RUSAGE_CHILDREN, &children);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec + nanoseconds(children.ru_utime) +
           nanoseconds(children.ru_stime);
}

static uint64_t time_getppid(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        getppid();
    return now() - began;
}

static uint64_t time_pipe(long count)
{
    int ends[2];
    char byte = 0;
    must(pipe(ends) == 0, "pipe");
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        must(write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1, "pipe write and read");
    uint64_t spent = now() - began;
    close(ends[0]);
    close(ends[1]);
    return spent;
}

static uint64_t time_map(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        void *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(memory != MAP_FAILED && munmap(memory, 65536) == 0, "mmap");
    }
    return now() - began;
}

void spawn(void)
{
    char *argv[] = {"/bin/true", NULL};
    pid_t child;
    int status = -1;
    errno = posix_spawn(&child, argv[0], NULL, NULL, argv, environ);
    must(errno == 0 && waitpid(child, &status, 0) == child, "posix_spawn /bin/true");
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "/bin/true did not succeed");
}

static uint64_t time_spawn(long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        spawn();
    return now() - began;
}

static const struct {
    const char *name;
    timed *time;
} calls[] = {
    {"getppid", time_getppid},
    {"pipe", time_pipe},
    {"stat", time_stat},
    {"map", time_map},
    {"spawn", time_spawn},
    {"openat_close", time_openat_close},
    {"open_device", time_open_device},
    {"open_layer", time_open_layer},
    {"open_task", time_open_task},
    {"relative_layer", time_relative_layer},
    {"relative_task", time_relative_task},
    {"at_layer", time_at_layer},
    {"at_task", time_at_task},
    {"open_tmp", time_open_tmp},
    {"socket_close", time_socket_close},
    {"dup_close", time_dup_close},
    {"connect_tcp", time_connect_tcp},
    {"connect_udp", time_connect_udp},
    {"connect_by_name", time_connect_by_name},
    {"lookup", time_lookup},
    {"denied_lookup", time_denied_lookup},
    {"http_bare", time_http_bare},
    {"everything", time_everything},
};

static timed *named(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(calls[i].name, name))
            return calls[i].time;
    return NULL;
}

static void begin(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        long number = i + 1 < argc ? atol(argv[i + 1]) : 0;
        if (!strcmp(argv[i], "--cpu")) {
            by_processor = 1;
            continue;
        }
        errno = EINVAL;
        must(number > 0 && (!strcmp(argv[i], "--descriptors") || !strcmp(argv[i], "--names")), argv[i]);
        (!strcmp(argv[i++], "--names") ? learn_names : keep_open)(number);
    }
}

int main(int argc, char **argv)
{
    char name[32];
    long count;
    int threads;
    begin(argc, argv);
    while (scanf("%31s %ld %d", name, &count, &threads) == 3) {
        timed *time = named(name);
        errno = EINVAL;
        must(time && count > 0 && threads > 0 && count % threads == 0, name);
        uint64_t spent = threads > 1 ? time_in_threads(time, threads, count) : time(count);
        printf("%.3f\n", (double)spent / (double)count);
        fflush(stdout);
    }
    return 0;
}
