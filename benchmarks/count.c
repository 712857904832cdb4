/* `count DESCRIPTOR PROGRAM [ARGUMENT ...]`: runs the program and counts the system calls of all its threads and
 * children, by ptrace(2). Each time before the program writes to its standard output, and at its end, a line goes to the
 * descriptor: the calls and the page faults so far. A busy machine changes neither.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracing.h"

static unsigned long calls;

/* Of a process that is stopped, with its children that were waited for (proc(5): minflt, cminflt). */
static unsigned long faults_of(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long own = 0, children = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "r");
    must(stat && fread(text, 1, sizeof text - 1, stat) > 0, path);
    fclose(stat);
    const char *after_name = strrchr(text, ')');
    must(after_name && sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %*u %lu %lu", &own, &children) == 2,
         path);
    return own + children;
}

static void report(int to, unsigned long faults)
{
    must(dprintf(to, "%lu %lu\n", calls, faults) > 0, "the descriptor");
}

/* A call begins, or one is over, which is not counted. */
static void look(pid_t task, pid_t program, int to)
{
    struct ptrace_syscall_info info;
    if (trace(PTRACE_GET_SYSCALL_INFO, task, sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    if (task == program && info.entry.nr == SYS_write && info.entry.args[0] == STDOUT_FILENO)
        report(to, faults_of(program));
    calls++;
}

static int follow(pid_t program, int to)
{
    for (;;) {
        int status;
        struct rusage used;
        pid_t task = wait4(-1, &status, __WALL, &used);
        must(task > 0, "wait4");
        if (!WIFSTOPPED(status)) {
            if (task != program)
                continue;
            report(to, (unsigned long)used.ru_minflt);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80))
            look(task, program, to);
        int is_own = signal == (SIGTRAP | 0x80) || status >> 16 || signal == SIGSTOP; /* not the program's */
        trace(PTRACE_SYSCALL, task, 0, (void *)(intptr_t)(is_own ? 0 : signal));
    }
}

int main(int argc, char **argv)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    int status;
    errno = EINVAL;
    must(argc > 2, "usage: count DESCRIPTOR PROGRAM [ARGUMENT ...]");
    int to = atoi(argv[1]);
    pid_t program = fork();
    must(program >= 0, "fork");
    if (!program) {
        close(to);
        must(!trace(PTRACE_TRACEME, 0, 0, NULL), "PTRACE_TRACEME");
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    must(waitpid(program, &status, 0) == program && WIFSTOPPED(status), "the program did not begin");
    must(!trace(PTRACE_SETOPTIONS, program, 0, (void *)options), "PTRACE_SETOPTIONS");
    must(!trace(PTRACE_SYSCALL, program, 0, NULL), "PTRACE_SYSCALL");
    return follow(program, to);
}
