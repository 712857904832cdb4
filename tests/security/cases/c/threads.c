/* Twenty threads for the case in which the shield is attached late: each sits in a call, or makes calls all the time,
 * while libc's text changes under it. Afterwards every one must still answer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { READS, POLLS, WAITS, SLEEPS, ACCEPTS, RECEIVES, OPENS, SPINS, KINDS };
enum { MOST = 64 };

struct worker {
    enum kind kind;
    pthread_t thread;
    int ends[2]; /* it waits at the first, we write to the second */
    struct sockaddr_in at;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    int called;
    atomic_long turns;
    atomic_int wrong;
};

static struct worker workers[MOST];
static int count;
static atomic_int calm; /* those that never rest rest a little: there are tests to run */

static int wait_once(struct worker *w)
{
    char byte;
    struct pollfd ready = {w->ends[0], POLLIN, 0};
    struct timespec nap = {0, 3000000};
    int s;
    switch (w->kind) {
    case READS: return read(w->ends[0], &byte, 1) == 1;
    case POLLS: return poll(&ready, 1, -1) == 1 && read(w->ends[0], &byte, 1) == 1;
    case WAITS:
        pthread_mutex_lock(&w->mutex);
        while (!w->called)
            pthread_cond_wait(&w->wake, &w->mutex);
        w->called = 0;
        pthread_mutex_unlock(&w->mutex);
        return 1;
    case SLEEPS: return nanosleep(&nap, NULL) == 0;
    case ACCEPTS: s = accept(w->ends[0], NULL, NULL); return s >= 0 && close(s) == 0;
    case RECEIVES: return recv(w->ends[0], &byte, 1, 0) == 1;
    case OPENS:
        if (atomic_load(&calm))
            nanosleep(&nap, NULL); /* with nothing open: there are cases that count descriptors */
        s = open("/etc/passwd", O_RDONLY);
        return s >= 0 && close(s) == 0;
    case SPINS:
        if (atomic_load(&calm))
            nanosleep(&nap, NULL);
        return getppid() >= 0;
    default: return 0;
    }
}

static void *work(void *context)
{
    struct worker *w = context;
    for (;;) {
        if (!wait_once(w))
            atomic_store(&w->wrong, errno ? errno : -1);
        atomic_fetch_add(&w->turns, 1);
    }
    return NULL;
}

static int prepare(struct worker *w)
{
    socklen_t len = sizeof w->at;
    switch (w->kind) {
    case READS:
    case POLLS: return pipe2(w->ends, O_CLOEXEC) == 0;
    case RECEIVES: return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, w->ends) == 0;
    case ACCEPTS:
        w->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        w->ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return bind(w->ends[0], (struct sockaddr *)&w->at, len) == 0 && listen(w->ends[0], 8) == 0 &&
               getsockname(w->ends[0], (struct sockaddr *)&w->at, &len) == 0;
    default: return 1;
    }
}

/* 0, or the number of the worker that could not start, plus 1. */
int start_workers(int wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for those whom the cases send them to */
    for (count = 0; count < wanted && count < MOST; count++) {
        struct worker *w = &workers[count];
        w->kind = (enum kind)(count % KINDS);
        pthread_mutex_init(&w->mutex, NULL);
        pthread_cond_init(&w->wake, NULL);
        if (!prepare(w) || pthread_create(&w->thread, NULL, work, w))
            return count + 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    usleep(20000); /* into their calls */
    return 0;
}

void let_workers_rest(void)
{
    atomic_store(&calm, 1);
}

static void call(struct worker *w)
{
    int s;
    switch (w->kind) {
    case READS:
    case POLLS: (void)!write(w->ends[1], "x", 1); break;
    case RECEIVES: send(w->ends[1], "x", 1, 0); break;
    case WAITS:
        pthread_mutex_lock(&w->mutex);
        w->called = 1;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->mutex);
        break;
    case ACCEPTS:
        s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connect(s, (struct sockaddr *)&w->at, sizeof w->at);
        close(s);
        break;
    default: break;
    }
}

/* How many answer when they are called, and had no call that went wrong. */
int workers_that_answer(void)
{
    int well = 0;
    for (int i = 0; i < count; i++) {
        struct worker *w = &workers[i];
        long before = atomic_load(&w->turns);
        call(w);
        for (int wait = 0; wait < 2000 && atomic_load(&w->turns) == before; wait++)
            usleep(1000);
        well += atomic_load(&w->turns) > before && atomic_load(&w->wrong) == 0;
    }
    return well;
}
