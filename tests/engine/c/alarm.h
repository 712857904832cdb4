/* A timer whose signal comes once, and begins anew what it interrupted (SA_RESTART). */
#ifndef ALARM_H
#define ALARM_H

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

static inline void set_alarm(int microseconds)
{
    struct itimerval timer = {{0, 0}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static inline void handle(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
}

#endif
