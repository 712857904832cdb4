/* Two threads against the gate: one opens /dev/null over and over, the other lays a reference to /proc/self/mem over the
 * descriptors that the gate opens. Counts opens that gave the memory, open for writing. */
#include "midst.h"
#include <pthread.h>
#include <stdatomic.h>

static atomic_int stop;
static int planted, first;

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
        int file = open("/dev/null", O_RDWR);
        got += is_memory(file);
        if (file >= 0 && file != first)
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
