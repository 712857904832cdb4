/* A thread waits in the open of a FIFO that it may open, in the folder of its second argument.
 *
 *   fifo restarted FOLDER REFUSED    the reference that the FIFO is opened by is replaced by one to REFUSED, and a
 *                                    signal has the kernel start the call again: is REFUSED open for a moment?
 *   fifo reader|writer FOLDER        honest: signals come while that one awaits the other end; prints how often an open
 *                                    failed, or something else than was written arrived
 */
#include "midst.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { TIMES = 300, SIGNALS = 3 };
static char path[256], spelled[256]; /* the second has to be judged by what it leads to */
static atomic_int is_opening, stop, got;

static int look(void)
{
    for (int k = 0; k < HIGHEST && !got; k++)
        got += has_content(k);
    return !got;
}

/* The call begins again once the handler returns. */
static void restart(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    at_place = look;
    place = first_place = 0;
    come_again(context, 1);
}

static void *wait_in_open(void *unused)
{
    (void)unused;
    while (!stop) {
        is_opening = 1;
        int file = open(spelled, O_RDONLY);
        interrupt_no_more();
        is_opening = 0;
        close(file);
    }
    return NULL;
}

static int replace_reference(const char *refused)
{
    pthread_t thread;
    int tries = 0;
    struct sigaction action = {.sa_sigaction = restart, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    find_gate();
    steal_reference(refused);
    pthread_create(&thread, NULL, wait_in_open, NULL);
    for (double end = now() + SECONDS; stolen >= 0 && now() < end && !got;) {
        while (!is_opening)
            usleep(50);
        usleep(200);
        for (int k = OWN_FIRST; k < OWN_FIRST + HIGHEST && is_opening; k++)
            if (leads_to(k, path)) {
                tries++;
                dup2(stolen, k);
            }
        pthread_kill(thread, SIGUSR1);
    }
    return print(got, tries);
}

static atomic_int handled, done, closed;

static void count(int signal)
{
    (void)signal;
    handled++;
}

static int waits_to_read;
static atomic_int wrong;

static int open_end(int reads)
{
    int file;
    while ((file = open(path, reads ? O_RDONLY : O_WRONLY)) < 0)
        if (++wrong >= TIMES) /* signals interrupt nothing here: SA_RESTART */
            _exit(print(wrong, TIMES));
    return file;
}

static void pass(int reads, int number)
{
    int file = open_end(reads), passed = number;
    ssize_t n = reads ? read(file, &passed, sizeof passed) : write(file, &passed, sizeof passed);
    wrong += n != sizeof passed || passed != number;
    close(file);
}

static void *wait_for_others(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        is_opening = i + 1;
        pass(waits_to_read, i);
        done = i + 1;
        while (closed <= i) /* or the next open meets the end of this time */
            sched_yield();
    }
    return NULL;
}

static int pass_numbers(void)
{
    pthread_t thread;
    struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&thread, NULL, wait_for_others, NULL);
    for (int i = 0; i < TIMES; i++) {
        while (is_opening <= i)
            sched_yield();
        for (int k = 0; k < SIGNALS; k++) {
            usleep(rand() % 200);
            int before = handled;
            pthread_kill(thread, SIGUSR1);
            while (handled == before)
                sched_yield();
        }
        usleep(
            1000); /* who is about to begin again may be taken for the other end, and is not there to write to */
        pass(!waits_to_read, i);
        closed = i + 1;
        while (done <= i)
            sched_yield();
    }
    pthread_join(thread, NULL);
    return print(wrong, TIMES);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    snprintf(path, sizeof path, "%s/fifo", argv[2]);
    snprintf(spelled, sizeof spelled, "%s/./fifo", argv[2]);
    if (mkfifo(path, 0600))
        return 2;
    waits_to_read = !strcmp(argv[1], "reader");
    return argc > 3 ? replace_reference(argv[3]) : pass_numbers();
}
