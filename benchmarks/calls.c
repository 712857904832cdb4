/* The calls that the benchmark times, in a process that stays: `calls` reads lines "NAME COUNT" and answers
 * each with the nanoseconds of one call, averaged over COUNT of them. The driver asks an unshielded and a
 * shielded process in turn, so that a machine that grows slower grows slower for both.
 */
#define _GNU_SOURCE
#include "calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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

static uint64_t time_open(const char *path, long count)
{
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        must(fd >= 0, path);
        close(fd);
    }
    return now() - began;
}

static uint64_t time_openat_close(long count)
{
    return time_open("/etc/passwd", count);
}

/* /dev is a mount of its own everywhere. */
static uint64_t time_open_elsewhere(long count)
{
    return time_open("/dev/null", count);
}

static uint64_t time_stat(long count)
{
    struct stat st;
    uint64_t began = now();
    for (long i = 0; i < count; i++)
        must(stat("/etc/passwd", &st) == 0, "stat");
    return now() - began;
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

static int bound_loopback(int type, struct sockaddr_in *address)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    must(fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0, "bind to loopback");
    must(getsockname(fd, (struct sockaddr *)address, &len) == 0, "getsockname");
    return fd;
}

/* Only connect itself is timed, each on a new socket, as applications do it. TCP connections are ended by a
 * reset, so that no port is left waiting. */
static uint64_t time_connect(int type, long count)
{
    struct sockaddr_in address;
    struct linger reset = {.l_onoff = 1};
    uint64_t spent = 0;
    int peer = bound_loopback(type, &address);
    must(type != SOCK_STREAM || listen(peer, 8) == 0, "listen");
    for (long i = 0; i < count; i++) {
        int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        uint64_t began = now();
        int connected = connect(fd, (struct sockaddr *)&address, sizeof address);
        spent += now() - began;
        must(connected == 0, "connect to loopback");
        if (type == SOCK_STREAM) {
            int other = accept(peer, NULL, NULL);
            must(other >= 0, "accept");
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(other);
        }
        close(fd);
    }
    close(peer);
    return spent;
}

static uint64_t time_connect_tcp(long count)
{
    return time_connect(SOCK_STREAM, count);
}

static uint64_t time_connect_udp(long count)
{
    return time_connect(SOCK_DGRAM, count);
}

static uint64_t time_spawn(long count)
{
    char *argv[] = {"/bin/true", NULL};
    uint64_t began = now();
    for (long i = 0; i < count; i++) {
        pid_t child;
        int status = -1;
        errno = posix_spawn(&child, argv[0], NULL, NULL, argv, environ);
        must(errno == 0 && waitpid(child, &status, 0) == child, "posix_spawn /bin/true");
        must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "/bin/true did not succeed");
    }
    return now() - began;
}

static const struct {
    const char *name;
    uint64_t (*time)(long count);
} calls[] = {
    {"getppid", time_getppid},
    {"pipe", time_pipe},
    {"openat_close", time_openat_close},
    {"connect_tcp", time_connect_tcp},
    {"connect_udp", time_connect_udp},
    {"spawn", time_spawn},
    {"open_elsewhere", time_open_elsewhere},
    {"stat", time_stat},
    {"map", time_map},
    {"connect_by_name", time_connect_by_name},
    {"denied_lookup", time_denied_lookup},
    {"http_bare", time_http_bare},
};

int main(void)
{
    char name[32];
    long count;
    while (scanf("%31s %ld", name, &count) == 2) {
        uint64_t (*time_it)(long) = NULL;
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
            if (!strcmp(calls[i].name, name))
                time_it = calls[i].time;
        errno = EINVAL;
        must(time_it && count > 0, name);
        printf("%.3f\n", (double)time_it(count) / (double)count);
        fflush(stdout);
    }
    return 0;
}
