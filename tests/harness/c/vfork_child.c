/* vfork_child program LISTED OTHER: the signal handler of a child that shares its parent's memory, as vfork(2) makes it,
 * lays OTHER, which leaves a file behind, over LISTED's descriptor in the midst of an execveat. */
#include "midst.h"

enum { NUMBER = 50, STACK = 1 << 18 };
static volatile int got, tries;
static int listed, other;
static char stack[STACK] __attribute__((aligned(16)));

static void lay_over_number(int signal)
{
    (void)signal;
    tries++;
    dup2(other, NUMBER);
}

static int start_program(void *unused)
{
    char *arguments[] = {"other", NULL}, *environment[] = {NULL};
    (void)unused;
    signal(SIGALRM, lay_over_number);
    dup2(listed, NUMBER);
    soon(300);
    syscall(SYS_execveat, NUMBER, "", arguments, environment, AT_EMPTY_PATH);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    listed = open(argv[2], O_RDONLY | O_CLOEXEC);
    other = open(argv[3], O_RDONLY | O_CLOEXEC);
    for (double end = now() + SECONDS; now() < end && !got;) {
        pid_t child = clone(start_program, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        got += end_of(child) == GOT;
    }
    return print(got, tries);
}
