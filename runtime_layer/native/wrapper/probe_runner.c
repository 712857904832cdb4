/* Runs a probe in a child: fork, wait with a time limit, read the result. Tests: tests/integration/launcher/test_doctor.py. */
#define _GNU_SOURCE
#include "probe_runner.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct named {
    int number;
    const char *name;
};

static const struct named errors[] = {
    {EPERM, "EPERM"},   {ENOENT, "ENOENT"}, {ESRCH, "ESRCH"},   {EINTR, "EINTR"},
    {EIO, "EIO"},       {EBADF, "EBADF"},   {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"},
    {EACCES, "EACCES"}, {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},   {ENODEV, "ENODEV"},
    {EINVAL, "EINVAL"}, {ENFILE, "ENFILE"}, {EMFILE, "EMFILE"}, {ENOSPC, "ENOSPC"},
    {EROFS, "EROFS"},   {ENOSYS, "ENOSYS"}, {EUSERS, "EUSERS"}, {EOPNOTSUPP, "EOPNOTSUPP"},
};

static const struct named signals[] = {
    {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"}, {SIGALRM, "SIGALRM"},
    {SIGTERM, "SIGTERM"}, {SIGSYS, "SIGSYS"},
};

static const char *const outcomes[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = "no_answer",  [OUTCOME_WORKS] = "works",         [OUTCOME_REFUSED] = "refused",
    [OUTCOME_MISSING] = "missing", [OUTCOME_FAILED] = "failed",       [OUTCOME_NO] = "no",
    [OUTCOME_KILLED] = "killed",   [OUTCOME_TIMED_OUT] = "timed_out",
};

static const char *find_name(const struct named *table, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}

const char *error_name(int error)
{
    return find_name(errors, sizeof errors / sizeof *errors, error);
}

const char *signal_name(int signal)
{
    return find_name(signals, sizeof signals / sizeof *signals, signal);
}

const char *outcome_name(enum probe_outcome outcome)
{
    return outcomes[outcome];
}

void record_result(struct finding *f, long result)
{
    f->error = result < 0 ? errno : 0;
    if (result >= 0)
        f->outcome = OUTCOME_WORKS;
    else if (f->error == EPERM || f->error == EACCES)
        f->outcome = OUTCOME_REFUSED;
    else
        f->outcome = f->error == ENOSYS ? OUTCOME_MISSING : OUTCOME_FAILED;
}

void record_number(struct finding *f, int64_t number)
{
    f->outcome = OUTCOME_WORKS;
    f->has_number = true;
    f->number = number;
}

static void record_words(struct finding *f, enum probe_outcome outcome, const char *format, va_list arguments)
{
    vsnprintf(f->text, sizeof f->text, format, arguments);
    f->outcome = outcome;
}

void record_text(struct finding *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record_words(f, OUTCOME_WORKS, format, arguments);
    va_end(arguments);
}

void record_no(struct finding *f, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record_words(f, OUTCOME_NO, format, arguments);
    va_end(arguments);
}

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static sigset_t sigchld_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return set;
}

/* With an ignored SIGCHLD, the kernel would reap children before the wait; blocked signals would be inherited by probes.
 * SIGCHLD itself is blocked, as wait_until waits for it. */
void prepare_for_probes(void)
{
    sigset_t set = sigchld_set();
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

bool wait_until(int pid, int64_t deadline, int *status)
{
    sigset_t set = sigchld_set();
    for (;;) {
        pid_t done = waitpid(pid, status, WNOHANG);
        if (done == pid || (done < 0 && errno != EINTR))
            return true;
        int64_t left = deadline - now_ms();
        if (left <= 0)
            break;
        struct timespec limit = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        sigtimedwait(&set, NULL, &limit);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

/* Memory that is shared with the child; a pipe would take descriptors, which may be scarce. */
static struct finding *shared_finding(void)
{
    static struct finding *shared;
    if (!shared) {
        void *at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = at == MAP_FAILED ? NULL : at;
    }
    return shared;
}

struct finding run_probe(probe_function *probe, int seconds)
{
    struct finding found = {0}, *shared = shared_finding();
    if (!shared) {
        record_result(&found, -1);
        return found;
    }
    memset(shared, 0, sizeof *shared);
    pid_t child = fork();
    if (child == 0) {
        probe(shared);
        _exit(0);
    }
    if (child < 0) {
        record_result(&found, -1);
        return found;
    }
    int status = 0;
    bool in_time = wait_until(child, now_ms() + seconds * 1000, &status);
    found = *shared;
    found.text[FINDING_TEXT - 1] = 0;
    if (!in_time) {
        found.outcome = OUTCOME_TIMED_OUT;
    } else if (WIFSIGNALED(status)) {
        found.outcome = OUTCOME_KILLED;
        found.signal = WTERMSIG(status);
    }
    return found;
}
