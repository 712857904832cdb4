/* A signal handler in the midst of a dup2 of the only thread starts the first thread that the process ever had. That one
 * opens ALLOWED, and the gate's reference gets the very number over which the dup2, once the handler returns, lays the
 * reference to REFUSED.
 *
 *   first_thread ALLOWED REFUSED
 */
#include "midst.h"
#include <stdatomic.h>

enum { STACK = 1 << 17, FAR = 400, SPINS = 100000 };
static const char *allowed;
static int number;
static volatile int *tries; /* in memory that copies share */
static atomic_int opens, got;
static char stack[STACK] __attribute__((aligned(16)));

static int open_often(void *unused)
{
    (void)unused;
    for (; !got; opens++)
        got += reads_refused(allowed);
    for (;;)
        usleep(1000);
    return 0;
}

static int start_thread(void)
{
    if (fcntl(number, F_GETFD) >= 0)
        return 0;
    ++*tries;
    clone(open_often, stack + STACK, THREAD, NULL);
    for (int i = 0; i < SPINS && fcntl(number, F_GETFD) < 0; i++)
        ;
    pause_a_little(600);
    return 0;
}

static void try_at(long where)
{
    interrupt_what_follows(start_thread, where);
    dup2(stolen, number);
    interrupt_no_more();
    close(number);
    int before = opens;
    for (int i = 0; i < SPINS && before && opens < before + 2 && !got; i++)
        sched_yield();
    _exit(got ? GOT : 0);
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
