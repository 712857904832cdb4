/* A thread in a child that shares its parent's memory: a signal handler in the midst of the making of a thread, which
 * was judged in the parent, makes such a child, and that returns to it. Then the child's thread lays the reference to
 * REFUSED over what the child's opens are judged by.
 *
 *   thread_of_kin ALLOWED REFUSED
 */
#include "midst.h"
#include <stdatomic.h>

enum { STACK = 1 << 17, FAR = 1600 };
static const char *allowed;
static pid_t parent;
static volatile int in_child, got;
static volatile int *tries; /* in memory that copies share */
static atomic_int started, stop;
static int number;
static char stack[STACK] __attribute__((aligned(16))), alternate[STACK];

/* Nothing that lies on the stack is used after vfork: the child returns over it. */
static int become_child(void)
{
    ++*tries;
    if (vfork() == 0) {
        in_child = 1;
        return 0;
    }
    while (waitpid(-1, NULL, 0) < 0)
        ;
    _exit(got ? GOT : 0);
}

static int lay_over(void *unused)
{
    (void)unused;
    started = 1;
    while (!stop && getpid() != parent) {
        dup2(stolen, number);
        pause_a_little(400);
        close(number);
        pause_a_little(400);
    }
    syscall(SYS_exit, 0);
    return 0;
}

static void try_at(long where)
{
    const stack_t other = {.ss_sp = alternate, .ss_size = STACK};
    parent = getpid();
    sigaltstack(&other, NULL);
    interrupt_what_follows(become_child, where);
    int thread = clone(lay_over, stack + STACK, THREAD, NULL);
    interrupt_no_more();
    if (!in_child || thread < 0)
        _exit(0);
    while (!started)
        ;
    for (double end = now() + 0.1; now() < end && !got;)
        got += reads_refused(allowed);
    stop = 1;
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    allowed = argv[1];
    find_gate();
    steal_reference(argv[2]);
    tries = shared_memory(sizeof *tries);
    number = next_reference();
    return print(found_in_copies(try_at, FAR), *tries);
}
