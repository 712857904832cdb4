/* The same call by several threads at once: from the first one's begin to the last one's end. */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <pthread.h>

enum { MOST = 64 };

struct share {
    pthread_t thread;
    pthread_barrier_t *all_there;
    timed *time;
    long count;
    uint64_t began, ended;
};

static void *run(void *argument)
{
    struct share *share = argument;
    pthread_barrier_wait(share->all_there);
    share->began = now();
    share->time(share->count);
    share->ended = now();
    return NULL;
}

uint64_t time_in_threads(timed *time, int threads, long count)
{
    struct share shares[MOST];
    pthread_barrier_t all_there;
    errno = EINVAL;
    must(threads <= MOST && !pthread_barrier_init(&all_there, NULL, (unsigned)threads), "threads");
    for (int i = 0; i < threads; i++) {
        shares[i] = (struct share){.all_there = &all_there, .time = time, .count = count / threads};
        errno = pthread_create(&shares[i].thread, NULL, run, &shares[i]);
        must(!errno, "pthread_create");
    }
    uint64_t first = UINT64_MAX, last = 0;
    for (int i = 0; i < threads; i++) {
        errno = pthread_join(shares[i].thread, NULL);
        must(!errno, "pthread_join");
        first = shares[i].began < first ? shares[i].began : first;
        last = shares[i].ended > last ? shares[i].ended : last;
    }
    pthread_barrier_destroy(&all_there);
    return last - first;
}
