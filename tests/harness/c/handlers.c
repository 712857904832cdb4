/* A signal handler that comes in the midst of guarded calls, over and over, and lays a reference to /proc/self/mem over
 * the descriptors that the gate has there, or closes them. Prints what went wrong: opens that gave the memory, open for
 * writing; and how often what was to be tried came about, which is awaited: numbers that could not be replaced.
 *
 *   handlers alone <times>    the only thread is interrupted
 *   handlers same <times>     the thread that opens is, beside another
 *   handlers both <times>     two threads open, both are; neither closes: one that does beside one that lays over may
 *                             replace what is a third call's (docs/security/limits.md)
 */
#include "midst.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    RUNS = 30,
    THREADS = 2,
    FIRST = 768 /* of the gate's (own_fds.h) */,
    NUMBERS = 8 /* more than two calls have at once */
};
enum {
    OFTEN = 10000000 /* nanoseconds: time for the handler on a busy machine, and none to wait for others */
};
static int planted, times, keeps_numbers;
static atomic_int runs, wrong, met, done;

/* Is there something of the gate's by this number, which stays? */
static int is_kept(int number)
{
    if (fcntl(number, F_GETFD) < 0)
        return 0;
    if (dup2(planted, number) < 0 && (keeps_numbers || close(number) < 0))
        return errno == EBADF;
    /* It is not the gate's yet, or no longer: whatever takes its place is judged like anything else. */
    fcntl(planted, F_DUPFD, number);
    return 0;
}

static void lay_over(int signal)
{
    int before = errno;
    (void)signal;
    runs++;
    int file = open("/dev/null", O_RDWR); /* guarded as well */
    for (int i = 0; i < NUMBERS; i++)
        met += is_kept(FIRST + i);
    close(file);
    errno = before;
}

static void interrupt_this_thread(long nanoseconds)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    struct itimerspec often = {{0, nanoseconds}, {0, nanoseconds}};
    timer_t timer;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL))
        exit(2);
}

static void open_many_times(void)
{
    while (runs < RUNS || met < times) {
        int file = open("/dev/null", O_RDWR);
        wrong += is_memory(file);
        if (file >= 0)
            close(file);
    }
}

struct part {
    int opens, is_interrupted;
};

static void *play(void *argument)
{
    const struct part *part = argument;
    if (part->is_interrupted)
        interrupt_this_thread(OFTEN);
    if (part->opens)
        open_many_times();
    done++;
    while (done < THREADS)
        usleep(1000);
    return NULL;
}

static void play_both(struct part *parts)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, play, &parts[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    times = argc > 2 ? atoi(argv[2]) : 0;
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = lay_over;
    sigaction(SIGALRM, &action, NULL);
    planted = open("/proc/self/mem", O_PATH);
    if (!strcmp(kind, "same"))
        play_both((struct part[THREADS]){{1, 1}, {0, 0}});
    else if (!strcmp(kind, "both")) {
        keeps_numbers = 1;
        play_both((struct part[THREADS]){{1, 1}, {1, 1}});
    } else {
        interrupt_this_thread(OFTEN);
        open_many_times();
    }
    printf("%d %d\n", wrong, met);
    return 0;
}
