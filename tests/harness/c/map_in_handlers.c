/* Maps, protects and unmaps in signal handlers that come in the midst of such calls, while a thread loads a library over and
 * over: map_in_handlers LIBRARY. A load that took longer than LONGEST counts as wrong, as what failed does.
 */
#include "midst.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MAPPERS = 2, THREADS = MAPPERS + 1, PAGE = 4096, PAGES = 64, BETWEEN = 100 /* microseconds */ };
static const double LONGEST = 1;
static atomic_int wrong, loads, stop;

static void change_mappings(void)
{
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    char *memory = mmap(NULL, PAGES * PAGE, PROT_NONE, anonymous, -1, 0);
    wrong += memory == MAP_FAILED || mprotect(memory, PAGES * PAGE, PROT_READ | PROT_WRITE) ||
             mmap(memory, PAGES * PAGE, PROT_READ, MAP_FIXED | MAP_POPULATE | anonymous, -1, 0) != memory ||
             munmap(memory, PAGES * PAGE);
}

static void handle(int signal)
{
    int before = errno;
    (void)signal;
    change_mappings();
    errno = before;
}

static void *change(void *unused)
{
    while (!stop)
        change_mappings();
    return unused;
}

static void *load(void *library)
{
    while (!stop) {
        double began = now();
        void *loaded = dlopen(library, RTLD_NOW);
        wrong += !loaded || dlclose(loaded) || now() - began > LONGEST;
        loads++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS];
    if (argc != 2)
        return 2;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&threads[MAPPERS], NULL, load, argv[1]);
    for (int i = 0; i < MAPPERS; i++)
        pthread_create(&threads[i], NULL, change, NULL);
    double end = now() + SECONDS;
    for (int i = 0; now() < end; i++) {
        usleep(BETWEEN);
        pthread_kill(threads[i % THREADS], SIGUSR1);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return print(wrong, loads);
}
