/* A signal handler forks in the midst of a guarded call. Its copy lays another file over the reference that the call is
 * judged by, returns to the call, and goes on with it.
 *
 *   copied_within file ALLOWED REFUSED      counts readings of REFUSED by an open of ALLOWED
 *   copied_within program LISTED OTHER      counts starts of OTHER, which fails, by an exec of LISTED, which does not
 * And whether there was something to lay over, and something to lay.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LOWEST = 3,
    HIGHEST = 10,
    OUT_OF_THE_WAY = 500,
    SECONDS = EFFORT + 1,
    CALLS = 8,
    TURNS = 500,
    FAILED = 1
};
static const char *allowed, *refused;
static volatile int other = -1, is_copy, *met; /* met: in memory that copies share */

static int leads_to(int descriptor, const char *path)
{
    char link[40], found[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, found, sizeof found - 1);
    found[n > 0 ? n : 0] = 0;
    return !strcmp(found, path);
}

/* Waits for a copy; what it ended with. */
static int end_of(pid_t copy)
{
    int status = 0;
    while (waitpid(copy, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void handle(int number)
{
    (void)number;
    for (int k = LOWEST; k < HIGHEST && other < 0; k++)
        if (leads_to(k, refused)) /* the gate's own reference to what it is about to refuse */
            other = fcntl(k, F_DUPFD, OUT_OF_THE_WAY);
    for (int k = LOWEST; k < HIGHEST && !is_copy; k++) {
        if (other < 0 || !leads_to(k, allowed))
            continue;
        ++*met;
        pid_t copy = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (copy > 0 && end_of(copy) == FAILED)
            _exit(FAILED);
        if (copy)
            return;
        is_copy = 1;
        dup2(other, k);
    }
}

static void soon(int microseconds)
{
    struct itimerval once = {{0, 0}, {0, 1 + rand() % microseconds}};
    setitimer(ITIMER_REAL, &once, NULL);
}

/* One reading too many ends the process with FAILED: the copy's, and so that of whom it was forked from. */
static void open_often(void)
{
    char first[8] = "";
    soon(60);
    for (int i = 0; i < CALLS; i++) {
        int file = open(other < 0 ? refused : allowed, O_RDONLY | O_NOFOLLOW);
        if (file >= 0 && read(file, first, 7) == 7 && !strcmp(first, "content"))
            _exit(FAILED);
        close(file);
    }
    if (is_copy)
        _exit(0);
}

static void exec_once(void)
{
    soon(400);
    execl(allowed, allowed, (char *)NULL);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int files = !strcmp(argv[1], "file"), got = 0;
    allowed = argv[2];
    refused = argv[3];
    met = mmap(NULL, sizeof *met, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGALRM, handle);
    if (!files)
        other = open(refused, O_RDONLY);
    for (time_t end = time(NULL) + SECONDS; time(NULL) < end && !got;) {
        rand(); /* or every child waits as long */
        pid_t child = fork();
        if (!child && !files)
            exec_once();
        for (int i = 0; !child && i < TURNS; i++)
            open_often();
        if (!child)
            _exit(0);
        got += end_of(child) == FAILED;
    }
    printf("%d %d\n", got, *met > 0);
    return 0;
}
