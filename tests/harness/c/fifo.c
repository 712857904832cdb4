/* A thread waits in the open of a FIFO that it may open, in FOLDER. The reference that the FIFO is opened by is replaced by
 * one to REFUSED, and a signal has the kernel start the call again: is REFUSED open for a moment?
 *
 *   fifo FOLDER REFUSED
 */
#include "midst.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

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

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    snprintf(path, sizeof path, "%s/fifo", argv[1]);
    snprintf(spelled, sizeof spelled, "%s/./fifo", argv[1]);
    return mkfifo(path, 0600) ? 2 : replace_reference(argv[2]);
}
