/* A signal handler that comes in the midst of guarded calls, over and over, and lays a reference to /proc/self/mem over
 * the descriptors that the gate has there. Threads open /dev/null meanwhile, until the handler ran often enough: when it
 * takes so long that it is due again by its end, they never get on. Prints what went wrong, and how often what was to be
 * tried came about, which is awaited.
 *
 *   handlers alone <times>    the only thread is interrupted     wrong: opens that gave the memory, open for writing
 *   handlers same <times>     the thread that opens is           met: numbers that could not be replaced
 *   handlers another <times>  one that does not open is
 *   handlers both <times>     two threads open, both are
 *   handlers child <times>    the handler has a vfork child that closes and opens the same numbers
 *                             wrong: numbers that could be replaced then, but not before     met: as above
 *   handlers dead <times>     the handler ends its thread, one thread after another
 *                             wrong: numbers that could never be replaced after     met: references of the gate's
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 30, THREADS = 2, NUMBERS = 8 /* more than two calls of the gate's have at once */ };
enum {
    OFTEN = 10000000 /* nanoseconds: time for the handler on a busy machine, and none to wait for others */
};
static int planted, first, times;
static atomic_int runs, wrong, met, done;

static int is_kept(int number)
{
    if (dup2(planted, number) < 0)
        return errno == EBUSY;
    close(number);
    return 0;
}

static void lay_over(int signal)
{
    int before = errno;
    (void)signal;
    runs++;
    int file = open("/dev/null", O_RDWR); /* guarded as well */
    for (int i = 0; i < NUMBERS; i++)
        met += is_kept(first + i);
    close(file);
    errno = before;
}

static void lay_over_after_a_child(int signal)
{
    int before = errno, kept[NUMBERS];
    (void)signal;
    runs++;
    for (int i = 0; i < NUMBERS; i++)
        met += kept[i] = is_kept(first + i);
    pid_t child = vfork();
    if (child == 0) {
        for (int i = 0; i < NUMBERS; i++)
            close(first + i);
        for (int i = 0; i < NUMBERS / 2; i++)
            open("/dev/null", O_RDWR);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < NUMBERS; i++)
        wrong += kept[i] && !is_kept(first + i);
    errno = before;
}

static void end_thread(int signal)
{
    (void)signal;
    syscall(SYS_exit, 0);
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

static void open_once(void)
{
    char link[64], path[64];
    int file = open("/dev/null", O_RDWR);
    if (file < 0) /* the handler closed what the gate did not hold yet */
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, path, sizeof path - 1);
    int writes = (fcntl(file, F_GETFL) & (O_ACCMODE | O_PATH)) == O_RDWR;
    path[n < 0 ? 0 : n] = 0;
    wrong += writes && strstr(path, "/mem") != NULL;
    close(file);
}

static void open_many_times(void)
{
    while (runs < RUNS || met < times)
        open_once();
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

static void *open_until_the_end(void *unused)
{
    (void)unused;
    interrupt_this_thread(OFTEN / 20);
    for (;;)
        open_once();
}

static int is_reference(int number)
{
    int flags = fcntl(number, F_GETFL);
    return flags >= 0 && flags & O_PATH;
}

static void die_in_many_threads(void)
{
    for (; runs < RUNS || met < times; runs++) {
        pthread_t thread;
        pthread_create(&thread, NULL, open_until_the_end, NULL);
        pthread_join(thread, NULL);
        met = 0;
        for (int number = first; number < first + 2 * runs; number++)
            met += is_reference(number);
    }
    for (int number = first; number < first + 2 * runs; number++)
        wrong += is_kept(number);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    int dies = !strcmp(kind, "dead"), has_child = !strcmp(kind, "child");
    times = argc > 2 ? atoi(argv[2]) : 0;
    struct sigaction action = {.sa_flags = SA_RESTART};
    action.sa_handler = dies ? end_thread : has_child ? lay_over_after_a_child : lay_over;
    sigaction(SIGALRM, &action, NULL);
    planted = open("/proc/self/mem", O_PATH);
    first = dup(0);
    close(first);
    if (dies)
        die_in_many_threads();
    else if (!strcmp(kind, "same"))
        play_both((struct part[THREADS]){{1, 1}, {0, 0}});
    else if (!strcmp(kind, "another"))
        play_both((struct part[THREADS]){{1, 0}, {0, 1}});
    else if (!strcmp(kind, "both"))
        play_both((struct part[THREADS]){{1, 1}, {1, 1}});
    else {
        interrupt_this_thread(OFTEN);
        open_many_times();
    }
    printf("%d %d\n", wrong, met);
    return 0;
}
