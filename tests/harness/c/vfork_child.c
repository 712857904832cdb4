/* The signal handler of a child that shares its parent's memory, as vfork(2) makes it, lays something over what a call
 * of that child was judged by.
 *
 *   vfork_child file ALLOWED REFUSED    the reference to REFUSED, over the one to ALLOWED, in the midst of an open
 *   vfork_child program LISTED OTHER    OTHER, which leaves a file behind, over LISTED's descriptor in the midst of an
 *                                       execveat
 */
#include "midst.h"

enum { NUMBER = 50, STACK = 1 << 18 };
static const char *allowed, *refused;
static volatile int got, tries;
static int listed, other;
static double end;
static char stack[STACK] __attribute__((aligned(16)));

static int lay_over_reference(void)
{
    int k = reference_to(allowed);
    if (k < 0)
        return 1;
    tries++;
    return dup2(stolen, k) != k && now() < end;
}

static int open_files(void *unused)
{
    (void)unused;
    steal_reference(refused);
    /* Steps of 7: an instruction is as good as those beside it. */
    for (long from = 0; stolen >= 0 && now() < end && !got; from = place > from ? from + 7 : 0) {
        interrupt_what_follows(lay_over_reference, from);
        got += reads_refused(allowed);
        interrupt_no_more();
    }
    _exit(0);
}

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
    int files = !strcmp(argv[1], "file");
    allowed = argv[2];
    refused = argv[3];
    find_gate();
    listed = open(allowed, O_RDONLY | O_CLOEXEC);
    other = files ? -1 : open(refused, O_RDONLY | O_CLOEXEC);
    for (end = now() + SECONDS; now() < end && !got;) {
        pid_t child =
            clone(files ? open_files : start_program, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        got += end_of(child) == GOT;
    }
    return print(got, tries);
}
