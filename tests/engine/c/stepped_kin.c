/* Processes that share memory, when a signal handler comes at the instruction that makes one (stepping.h): each tries to say
 * evil.example to allowed.example by a connection that the other process lays something over and writes to.
 *
 *   orphan          a vfork child's own child kills it: then the parent, which waited, runs beside that one
 *   orphan_by_turn  the call that makes that last child is judged in the parent, where a handler makes the first, which
 *                   goes on with it
 *   heir            the handler forks, and the copy goes on with the call: its child is the first that asks in its memory
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>

#include "stepped_peers.h"

enum { SHARING = CLONE_VM | CLONE_VFORK | SIGCHLD, SAID = 77 };
static char stacks[2][1 << 16] __attribute__((aligned(64)));
static int pipes[2];
static volatile int is_laid, answer;

static void make_target(void)
{
    target = connected(&to);
    if (pipe(pipes))
        abort();
}

static bool lays(void)
{
    return dup2(pipes[1], target) == target && write(target, "x", 1) == 1;
}

static int say_as_orphan(void *unused)
{
    (void)unused;
    kill(getppid(), SIGKILL);
    while (!is_laid)
        wait_a_little();
    answer = says(target) ? 1 : -1;
    _exit(0);
}

static int make_orphan(void *unused)
{
    (void)unused;
    clone(say_as_orphan, stacks[1] + sizeof *stacks, SHARING, NULL);
    _exit(0);
}

static void lay_beside_orphan(void)
{
    if (!lays())
        abort();
    is_laid = 1;
    while (!answer)
        wait_a_little();
    said += answer == 1;
}

static void try_orphan(void)
{
    make_target();
    if (clone(make_orphan, stacks[0] + sizeof *stacks, SHARING, NULL) < 0)
        abort();
    lay_beside_orphan();
}

static bool is_clone(const greg_t *call)
{
    return call[REG_RAX] == SYS_clone;
}

static void let_a_child_go_on(void)
{
    if (!vfork())
        return;
    lay_beside_orphan();
    report();
}

static void try_orphan_by_turn(void)
{
    static const struct stop stops[] = {{is_clone, let_a_child_go_on}, {0}};
    make_target();
    stop_at(stops);
    make_orphan(NULL);
}

static volatile bool is_the_copy;

static void let_a_copy_go_on(void)
{
    is_the_copy = !syscall(SYS_fork);
}

static int lay_in_copy(void *unused)
{
    (void)unused;
    if (is_the_copy && !lays())
        abort();
    _exit(0);
}

static void try_heir(void)
{
    static const struct stop stops[] = {{is_clone, let_a_copy_go_on}, {0}};
    int status;
    make_target();
    stop_at(stops);
    clone(lay_in_copy, stacks[0] + sizeof *stacks, SHARING, NULL);
    if (is_the_copy)
        _exit(says(target) ? SAID : 1);
    while (wait(&status) > 0)
        said += WIFEXITED(status) && WEXITSTATUS(status) == SAID;
}

int main(int count, char **words)
{
    static const struct kind kinds[] = {
        {"orphan", try_orphan}, {"orphan_by_turn", try_orphan_by_turn}, {"heir", try_heir}, {0}};
    return attempt(kinds, count, words);
}
