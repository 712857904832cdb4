/* Stops threads between two instructions of a call: the trap flag of x86_64 does, in front of the call's own instruction or
 * behind it, and other threads go on meanwhile; nothing else is changed. */
#ifndef STEPPING_H
#define STEPPING_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { TRAPS = 0x100, SYSCALL = 0x050f, MILLISECOND = 1000, PATIENCE = 5000 };

/* A thread's stops. */
struct stop {
    bool (*is_here)(const greg_t *call); /* NULL: right behind the one before */
    void (*act)(void);                   /* NULL: there are no more */
};
struct stopped {
    volatile int at, gone; /* how many stops it has come to, and left */
    volatile bool is_over;
};
static __thread const struct stop *next;
static __thread struct stopped *self;

static inline void wait_a_little(void)
{
    usleep(MILLISECOND);
}

static inline void step(int number, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint16_t code;
    (void)number, (void)info;
    memcpy(&code, (void *)g[REG_RIP], sizeof code);
    if (next->act && (next->is_here ? code == SYSCALL && next->is_here(g) : true))
        (next++)->act();
    if (next->act)
        g[REG_EFL] |= TRAPS;
    else
        g[REG_EFL] &= ~TRAPS;
}

static inline void stop_at(const struct stop *stops)
{
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    next = stops;
    raise(SIGTRAP);
}

static inline void no_more_stops(void)
{
    static const struct stop none[1];
    next = none;
}

/* What a thread does at a stop. */
static inline void wait_here(void)
{
    int here = ++self->at;
    while (self->gone < here)
        wait_a_little();
}

/* And what another does with it. */
static inline bool comes_to(const struct stopped *thread, int at)
{
    for (int i = 0; i < PATIENCE && thread->at < at && !thread->is_over; i++)
        wait_a_little();
    return thread->at >= at;
}

static inline void let_go(struct stopped *thread)
{
    thread->gone++;
}

/* The thread that makes the call. */
struct caller {
    const struct stop *stops;
    void (*call)(void);
    struct stopped state;
    pthread_t thread;
};

static inline void *make_call(void *of)
{
    struct caller *caller = of;
    self = &caller->state;
    stop_at(caller->stops);
    caller->call();
    no_more_stops();
    caller->state.is_over = true;
    return NULL;
}

static inline void start(struct caller *caller)
{
    pthread_create(&caller->thread, NULL, make_call, caller);
}

static inline void end(struct caller *caller)
{
    caller->state.gone += 100;
    pthread_join(caller->thread, NULL);
}

#endif
