/* Two threads against the gate: one opens /dev/null over and over, the other lays a reference to /proc/self/mem over the
 * descriptors that the gate opens. Counts opens that gave the memory, open for writing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
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

int main(void)
{
    planted = open("/proc/self/mem", O_PATH);
    first = dup(0);
    close(first);
    pthread_t thread;
    pthread_create(&thread, NULL, plant, NULL);
    int got = opens_of_memory();
    stop = 1;
    pthread_join(thread, NULL);
    printf("%d\n", got);
    return 0;
}
