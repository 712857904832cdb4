/* Runs a program with pipe, fork and exec, and reads its output until a deadline.
 * Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "capture.h"

#include "probe_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void exec_into(char *const argv[], char *const envp[], int output)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return;
    execve(argv[0], argv, envp);
}

/* Reads to the end or the deadline. Bytes beyond `cap` are dropped, so that the writer never blocks. */
static size_t read_output(int fd, char *out, size_t cap, int64_t deadline)
{
    size_t used = 0;
    char dropped[512];
    for (int64_t left; (left = deadline - now_ms()) > 0;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        bool full = used + 1 >= cap;
        ssize_t n = read(fd, full ? dropped : out + used, full ? sizeof dropped : cap - 1 - used);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        if (n > 0 && !full)
            used += (size_t)n;
    }
    out[used] = 0;
    return used;
}

long capture_output(char *const argv[], char *const envp[], char *out, size_t cap)
{
    int pipes[2], status = 0;
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return -1;
    int64_t deadline = now_ms() + CAPTURE_SECONDS * 1000;
    pid_t child = fork();
    if (child == 0) {
        exec_into(argv, envp, pipes[1]);
        _exit(127);
    }
    int failed = errno;
    close(pipes[1]);
    size_t used = child < 0 ? 0 : read_output(pipes[0], out, cap, deadline);
    close(pipes[0]);
    if (child < 0) {
        errno = failed;
        return -1;
    }
    wait_until(child, deadline, &status);
    return (long)used;
}
