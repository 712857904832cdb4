/* Signals, cancellation, stacks and threads around guarded calls. Each returns 0 when every call had one of the two
 * results that it may have (done, or refused with EACCES) and nothing was lost; otherwise a number that says what. */
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* How many descriptors are open, but for those that other threads have open for a moment only. */
static int descriptors(void)
{
    int least = INT_MAX;
    for (int sample = 0; sample < 20; sample++) {
        int count = count_descriptors();
        least = count < least ? count : least;
        usleep(1000);
    }
    return least;
}

/* How many more are open for good than before: those of other threads go away again. */
static int left_open(int before)
{
    int more = 0;
    for (int sample = 0; sample < 500; sample++) {
        more = count_descriptors() - before;
        if (more <= 0)
            return 0;
        usleep(2000);
    }
    return more;
}

/* 0: done or refused, as a policy may have it */
static int try_open(const char *path)
{
    int file = open(path, O_RDONLY);
    if (file < 0)
        return errno == EACCES ? 0 : errno;
    close(file);
    return 0;
}

static volatile sig_atomic_t ticks;

static void tick(int number)
{
    (void)number;
    ticks++;
}

/* SIGALRM after some time; again after each `every` microseconds, unless that is 0. */
static void start_ticking(void (*handler)(int), int flags, long first, long every)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerval times = {{0, every}, {0, first}};
    ticks = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &times, NULL);
}

static void stop_ticking(void)
{
    struct itimerval never = {0};
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

static long long milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* A socket of the loopback, and its address. */
static int bound(int type, struct sockaddr_in *here)
{
    socklen_t len = sizeof *here;
    int s = socket(AF_INET, type, 0);
    *here = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(s, (struct sockaddr *)here, sizeof *here);
    getsockname(s, (struct sockaddr *)here, &len);
    return s;
}

/* Opens, refused opens, a changed name, a connection: ten thousand signals a second meanwhile. */
int calls_under_signals(const char *path, const char *allowed, int flags, int milliseconds)
{
    struct sockaddr_in here;
    int server = bound(SOCK_STREAM, &here), wrong = 0, before = descriptors();
    listen(server, 64);
    long long end = milliseconds_now() + milliseconds;
    start_ticking(tick, flags, 100, 100);
    do {
        int client = socket(AF_INET, SOCK_STREAM, 0), accepted = -1;
        if (connect(client, (struct sockaddr *)&here, sizeof here) == 0)
            while ((accepted = accept(server, NULL, NULL)) < 0 && errno == EINTR)
                ;
        else if (errno != EINTR)
            wrong = errno;
        if (accepted >= 0)
            close(accepted);
        close(client);
        wrong = wrong ? wrong : try_open(path);
        wrong = wrong ? wrong : try_open("/etc/passwd");
        if (chmod(allowed, 0644))
            wrong = errno;
    } while (!wrong && milliseconds_now() < end);
    stop_ticking();
    if (!wrong && left_open(before))
        wrong = 1001;
    close(server);
    return wrong ? wrong : ticks > milliseconds / 5 ? 0 : 1002;
}

/* ---- cancellation */

static int cleaned;

static void clean(void *unused)
{
    (void)unused;
    cleaned = 1;
}

static void *open_and_wait(void *path)
{
    pthread_cleanup_push(clean, NULL);
    open(path, O_RDONLY);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *receive_and_wait(void *unused)
{
    char byte;
    int s[2];
    (void)unused;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        return NULL;
    pthread_cleanup_push(clean, NULL);
    recv(s[0], &byte, 1, 0);
    pthread_cleanup_pop(0);
    return NULL;
}

static atomic_int is_asked; /* to end */

/* 0, or that it has not ended after three seconds. */
static int join_soon(pthread_t thread, void **result)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3;
    return pthread_timedjoin_np(thread, result, &until);
}

static int cancel(void *(*start)(void *), void *argument)
{
    pthread_t thread;
    void *result = NULL;
    cleaned = 0;
    is_asked = 0;
    if (pthread_create(&thread, NULL, start, argument))
        return 1;
    usleep(50000);
    if (pthread_cancel(thread))
        return 2;
    is_asked = 1;
    if (join_soon(thread, &result))
        return 3;
    return result == PTHREAD_CANCELED && cleaned ? 0 : 4;
}

int cancelled_open(const char *fifo)
{
    int wrong = 0;
    for (int i = 0; i < 5 && !wrong; i++)
        wrong = cancel(open_and_wait, (void *)fifo);
    return wrong;
}

int cancelled_receive(void)
{
    return cancel(receive_and_wait, NULL);
}

/* A thread with a cancellation pending is cancelled by the next guarded call that is a cancellation point. */
static void *open_when_cancelled(void *path)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    while (!is_asked)
        usleep(1000);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_cleanup_push(clean, NULL);
    int file = open(path, O_RDONLY);
    if (file >= 0)
        close(file);
    pthread_cleanup_pop(0);
    return NULL;
}

int cancelled_before(const char *path)
{
    return cancel(open_when_cancelled, (void *)path);
}

/* ---- backtraces */

static volatile int frames_found;

static void trace(int number)
{
    void *frames[64];
    int count = backtrace(frames, 64);
    (void)number;
    extern int backtrace_through_open(const char *);
    for (int i = 0; i < count; i++) {
        const char *at = frames[i], *start = (const char *)backtrace_through_open;
        if (at > start && at < start + 512)
            frames_found = 1;
    }
}

__attribute__((noinline)) int backtrace_through_open(const char *fifo)
{
    void *warm[4];
    backtrace(warm, 4); /* loads what it needs */
    frames_found = 0;
    start_ticking(trace, 0, 20000, 0);
    int file = open(fifo, O_RDONLY);
    if (file >= 0)
        close(file);
    stop_ticking();
    return frames_found;
}

/* ---- stacks and threads */

static int result_of_handler;
static const char *path_of_handler;

static void open_in_handler(int number)
{
    (void)number;
    result_of_handler = try_open(path_of_handler);
}

int on_an_alternate_stack(const char *path)
{
    size_t size = (size_t)sysconf(_SC_SIGSTKSZ);
    char *memory = malloc(size);
    stack_t stack = {.ss_sp = memory, .ss_size = size}, old;
    struct sigaction action = {.sa_handler = open_in_handler, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, &old);
    sigaction(SIGUSR2, &action, NULL);
    path_of_handler = path;
    result_of_handler = 1;
    raise(SIGUSR2);
    signal(SIGUSR2, SIG_DFL);
    sigaltstack(&old, NULL);
    free(memory);
    return result_of_handler;
}

static void *open_in_thread(void *path)
{
    return (void *)(long)(try_open(path) || try_open("/etc/passwd"));
}

/* What so many threads return, at most four. */
static int in_threads(int number, const pthread_attr_t *attributes, void *(*start)(void *), const char *path)
{
    pthread_t threads[4];
    void *result;
    int wrong = 0;
    for (int i = 0; i < number; i++)
        if (pthread_create(&threads[i], attributes, start, (void *)path))
            return 1;
    for (int i = 0; i < number; i++) {
        pthread_join(threads[i], &result);
        wrong |= (int)(long)result;
    }
    return wrong;
}

int on_the_smallest_stack(const char *path)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN));
    return in_threads(1, &attributes, open_in_thread, path);
}

static void *open_and_exit(void *path)
{
    int wrong = try_open(path);
    pthread_exit((void *)(long)wrong);
}

int threads_that_come_and_go(const char *path)
{
    int before = descriptors(), wrong = 0;
    for (int i = 0; i < 300 && !wrong; i++)
        wrong = in_threads(4, NULL, open_and_exit, path);
    return wrong ? wrong : left_open(before) ? 1001 : 0;
}

static void *exit_by_system_call(void *path)
{
    try_open(path);
    syscall(SYS_exit, 0);
    return NULL;
}

int thread_that_exits_by_itself(const char *path)
{
    pthread_t thread;
    pthread_create(&thread, NULL, exit_by_system_call, (void *)path);
    return join_soon(thread, NULL);
}

/* Many vfork children in many threads, each of which opens. */
static void *vfork_and_open(void *path)
{
    for (int i = 0; i < 50; i++) {
        int status;
        pid_t child = vfork();
        if (child == 0)
            _exit(try_open(path));
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
            return (void *)1;
    }
    return NULL;
}

int vfork_in_threads(const char *path)
{
    int before = descriptors(), wrong = in_threads(4, NULL, vfork_and_open, path);
    return wrong ? wrong : left_open(before) ? 1001 : 0;
}
