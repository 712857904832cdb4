/* What a libc does in ways of its own: starting programs on a small stack, interrupted and restarted calls, ending
 * threads that wait. Prints "name result" for each; with and without the shield the lines must be the same.
 * argv: a folder that may be written to, and a program that says "hello" and ends with 5. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *folder, *tool;

static void say(const char *name, long result)
{
    printf("%s %ld\n", name, result);
    fflush(stdout);
}

static const char *in_folder(const char *name)
{
    static char paths[2][512];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static long status_of(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

/* --- starting programs ---------------------------------------------------------------------------------------- */

static void spawning(void)
{
    char *argv[] = {"tool", NULL}, heard[16] = "";
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t child;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 20, in_folder("heard"), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 20, 1);
    posix_spawn_file_actions_addclose(&actions, 20);
    say("spawn", posix_spawn(&child, tool, &actions, &attributes, argv, environ));
    say("spawn_status", status_of(child));
    int file = open(in_folder("heard"), O_RDONLY);
    say("spawn_wrote", read(file, heard, sizeof heard - 1));
    say("spawn_hello", strcmp(heard, "hello\n"));
    close(file);
    say("spawn_missing", posix_spawn(&child, "/no/such/program", NULL, NULL, argv, environ));
    child = fork();
    if (child == 0) {
        execl(tool, "tool", "quiet", (char *)NULL);
        _exit(9);
    }
    say("fork_exec", status_of(child));
    child = vfork();
    if (child == 0) {
        execl(tool, "tool", "quiet", (char *)NULL);
        _exit(9);
    }
    say("vfork_exec", status_of(child));
    child = fork();
    if (child == 0)
        exit(7);
    say("fork_exit", status_of(child));
}

/* --- descriptors and files ------------------------------------------------------------------------------------ */

static void descriptors(void)
{
    int file = open(in_folder("file"), O_CREAT | O_RDWR, 0600);
    struct timespec times[2] = {{1000000000, 1}, {1000000001, 2}};
    struct timeval older[2] = {{1000000002, 3}, {1000000003, 4}};
    struct stat st;
    say("dup2", dup2(file, 100));
    say("dup2_same", dup2(100, 100));
    say("dup3", dup3(file, 101, O_CLOEXEC));
    say("dup3_same", dup3(file, file, 0));
    say("dup_cloexec", fcntl(file, F_DUPFD_CLOEXEC, 110));
    say("flags", fcntl(110, F_GETFD));
    say("append", fcntl(file, F_SETFL, O_APPEND));
    say("appends", fcntl(100, F_GETFL) & O_APPEND ? 1 : 0);
    say("close", close(110));
    say("close_again", close(110));
    say("closed", fcntl(110, F_GETFD));
    say("futimens", futimens(file, times));
    stat(in_folder("file"), &st);
    say("mtime", st.st_mtim.tv_sec + st.st_mtim.tv_nsec);
    say("utimensat", utimensat(AT_FDCWD, in_folder("file"), NULL, AT_SYMLINK_NOFOLLOW));
    say("utimes", utimes(in_folder("file"), older));
    stat(in_folder("file"), &st);
    say("mtime_again", st.st_mtim.tv_sec);
    say("rename", rename(in_folder("file"), in_folder("other")));
    say("lock", lockf(file, F_LOCK, 0));
    say("unlink", unlink(in_folder("other")));
    close(file);
    close(100);
    close(101);
}

/* --- interrupted calls ---------------------------------------------------------------------------------------- */

static volatile sig_atomic_t rang;

static void ring(int number)
{
    (void)number;
    rang++;
}

static int bound_socket(int type, struct sockaddr_in *at)
{
    socklen_t size = sizeof *at;
    int s = socket(AF_INET, type, 0);
    *at = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, "127.0.0.1", &at->sin_addr);
    bind(s, (struct sockaddr *)at, size);
    getsockname(s, (struct sockaddr *)at, &size);
    return s;
}

static void *send_later(void *to)
{
    struct sockaddr_in *at = to;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    usleep(60000);
    sendto(s, "abc", 3, 0, to, sizeof *at);
    close(s);
    return NULL;
}

static void interrupting(const char *name, int flags)
{
    struct sigaction action = {.sa_handler = ring, .sa_flags = flags};
    struct itimerval soon = {{0, 10000}, {0, 10000}}, never = {0};
    struct sockaddr_in at;
    int s = bound_socket(SOCK_DGRAM, &at);
    char got[8];
    pthread_t sender;
    rang = 0;
    sigaction(SIGALRM, &action, NULL);
    pthread_create(&sender, NULL, send_later, &at);
    setitimer(ITIMER_REAL, &soon, NULL);
    long result = recvfrom(s, got, sizeof got, 0, NULL, NULL);
    long error = result < 0 ? errno : 0;
    setitimer(ITIMER_REAL, &never, NULL);
    pthread_join(sender, NULL);
    say(name, result < 0 ? -error : result);
    say("rang", rang > 0);
    close(s);
}

/* --- threads that are ended ----------------------------------------------------------------------------------- */

static int channel[2], silent, listener, full;
static struct sockaddr_in full_at;
static sem_t never_posted;

static void *in_read(void *cleaned)
{
    char byte;
    (void)cleaned;
    read(channel[0], &byte, 1);
    return NULL;
}

static void *in_recvfrom(void *cleaned)
{
    char byte;
    (void)cleaned;
    recvfrom(silent, &byte, 1, 0, NULL, NULL);
    return NULL;
}

static void *in_recvmsg(void *cleaned)
{
    char byte;
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    (void)cleaned;
    recvmsg(silent, &message, 0);
    return NULL;
}

static void *in_accept(void *cleaned)
{
    (void)cleaned;
    accept(listener, NULL, NULL);
    return NULL;
}

static void *in_poll(void *cleaned)
{
    struct pollfd one = {.fd = channel[0], .events = POLLIN};
    (void)cleaned;
    poll(&one, 1, -1);
    return NULL;
}

static void *in_sleep(void *cleaned)
{
    (void)cleaned;
    sleep(100);
    return NULL;
}

static void *in_wait(void *cleaned)
{
    (void)cleaned;
    sem_wait(&never_posted);
    return NULL;
}

/* Nobody accepts: it waits for the listener's queue. The descriptor's own time limit ends it in the end. */
static void *in_connect(void *cleaned)
{
    struct timeval limit = {0, 300000};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    (void)cleaned;
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    connect(s, (struct sockaddr *)&full_at, sizeof full_at);
    pthread_testcancel();
    return NULL;
}

static void *in_open(void *cleaned)
{
    (void)cleaned;
    for (;;)
        close(open("/dev/null", O_RDONLY));
}

static void clean(void *cleaned)
{
    *(int *)cleaned = 1;
}

struct waiter {
    void *(*wait)(void *);
    int cleaned;
};

static void *wait_and_clean(void *argument)
{
    struct waiter *waiter = argument;
    pthread_cleanup_push(clean, &waiter->cleaned);
    waiter->wait(NULL);
    pthread_cleanup_pop(0);
    return NULL;
}

static void ending(const char *name, void *(*wait)(void *), useconds_t after)
{
    struct waiter waiter = {wait, 0};
    pthread_t thread;
    void *result = NULL;
    pthread_create(&thread, NULL, wait_and_clean, &waiter);
    if (after)
        usleep(after);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (name)
        say(name, result == PTHREAD_CANCELED && waiter.cleaned);
}

static void ending_all(void)
{
    pipe(channel);
    sem_init(&never_posted, 0, 0);
    struct sockaddr_in at;
    silent = bound_socket(SOCK_DGRAM, &at);
    listener = bound_socket(SOCK_STREAM, &at);
    listen(listener, 1);
    full = bound_socket(SOCK_STREAM, &full_at);
    listen(full, 0);
    int first = socket(AF_INET, SOCK_STREAM, 0);
    say("fills_the_queue", connect(first, (struct sockaddr *)&full_at, sizeof full_at));
    ending("cancel_read", in_read, 20000);
    ending("cancel_recvfrom", in_recvfrom, 20000);
    ending("cancel_recvmsg", in_recvmsg, 20000);
    ending("cancel_accept", in_accept, 20000);
    ending("cancel_poll", in_poll, 20000);
    ending("cancel_sleep", in_sleep, 20000);
    ending("cancel_sem_wait", in_wait, 20000);
    ending("cancel_connect", in_connect, 20000);
    ending("cancel_open", in_open, 20000);
}

/* --- threads that work together ------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counted;

static void *count(void *times)
{
    for (long i = 0; i < (long)times; i++) {
        pthread_mutex_lock(&lock);
        counted++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        close(open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    return NULL;
}

static void counting(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, (void *)500L);
    pthread_mutex_lock(&lock);
    while (counted < 2000)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    say("counted", counted);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    folder = argv[1];
    tool = argv[2];
    spawning();
    descriptors();
    interrupting("restarted", SA_RESTART);
    interrupting("interrupted", 0);
    counting();
    ending_all();
    if (argc > 3) /* threads that are ended before, in and behind the call */
        for (long i = 0; i < atol(argv[3]); i++)
            ending(NULL, in_recvfrom, (useconds_t)(i % 60));
    say("done", 0);
    return 6;
}
