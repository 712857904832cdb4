/* Two threads against the gate: one makes a guarded call over and over, the other changes something under it.
 *
 *   races descriptor  lays a reference to /proc/self/mem over the descriptors that the gate opens; counts opens of
 *                     /dev/null that gave the memory, open for writing
 *   races environment turns a variable into one of the loader's while a listed program is started; counts children
 *                     that had it
 * `environment` takes the listed program, a shell, as second argument.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    int descriptor = !strcmp(kind, "descriptor");
    if (!descriptor && argc < 3)
        return 2;
    planted = open("/proc/self/mem", O_PATH);
    first = dup(0);
    close(first);
    pthread_t thread;
    pthread_create(&thread, NULL, descriptor ? plant : flip, NULL);
    int got = descriptor ? opens_of_memory() : children_with_variable(argv[2]);
    stop = 1;
    pthread_join(thread, NULL);
    printf("%d\n", got);
    return 0;
}
