/* A signal handler in the midst of an open forks while the gate is about to note down whose reference it has, and in
 * that copy it forks again: the second copy lays the reference to REFUSED over what it was judged by, and goes on.
 *
 *   forked_twice ALLOWED REFUSED
 */
#include "midst.h"

enum { STEP_OF_FIRST = 3, STEP_OF_SECOND = 7 }; /* an instruction is as good as those beside it */
static const char *allowed;
static double end;
static volatile int copies; /* that this process is away from the first one */
static volatile struct {
    int tries, got;
} *shared;

static int fork_and_lay_over(void)
{
    if (shared->got || now() > end)
        return 0;
    if ((place - first_place) % (copies ? STEP_OF_SECOND : STEP_OF_FIRST))
        return 1;
    int k = reference_to(allowed);
    if (k < 0)
        return 1;
    shared->tries++;
    pid_t child = copy();
    if (child > 0)
        end_of(child);
    if (child)
        return 1;
    if (!copies++)
        return 1;
    dup2(stolen, k);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    allowed = argv[1];
    shared = shared_memory(sizeof *shared);
    find_gate();
    steal_reference(argv[2]);
    end = now() + SECONDS;
    for (int from = 0; stolen >= 0 && now() < end && !shared->got; from++) {
        interrupt_what_follows(fork_and_lay_over, from);
        int got = reads_refused(allowed);
        interrupt_no_more();
        shared->got += got;
        if (copies)
            _exit(0);
    }
    return print(shared->got, shared->tries);
}
