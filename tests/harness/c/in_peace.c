/* What honest programs do while signals arrive. Prints what went wrong, and how often it was done.
 *
 *   in_peace spawn PROGRAM    starts PROGRAM, true(1), by posix_spawn that lays, closes and opens descriptors
 *   in_peace fork             a handler forks now and then, while the program does nothing that is guarded
 *   in_peace numbers          the only thread lays descriptors over others and closes them
 */
#include "midst.h"
#include <errno.h>
#include <spawn.h>

enum { OFTEN = 700 /* microseconds */, FORKS = 20 };
static volatile int wrong, handled, done;

static void count(int signal)
{
    (void)signal;
    handled++;
}

static void fork_a_copy(int signal)
{
    int before = errno;
    (void)signal;
    pid_t child = copy();
    if (!child)
        _exit(GOT);
    wrong += child < 0 || end_of(child) != GOT;
    handled++;
    errno = before;
}

static void handle_often(void (*handler)(int), int microseconds)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, microseconds}, {0, microseconds}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void spawn(char *program)
{
    char *arguments[] = {program, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 7, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 7, 1);
    posix_spawn_file_actions_adddup2(&actions, 7, 8);
    posix_spawn_file_actions_addclose(&actions, 7);
    wrong += posix_spawn(&child, program, &actions, NULL, arguments, environment) || end_of(child) != 0;
    posix_spawn_file_actions_destroy(&actions);
    done++;
}

static void lay_and_close(void)
{
    int null = open("/dev/null", O_RDWR);
    wrong += null < 0 || dup2(null, 20) != 20 || dup2(20, 21) != 21 || close(20) || close(21) || close(null);
    done++;
}

int main(int argc, char **argv)
{
    int spawns = argc == 3 && !strcmp(argv[1], "spawn"), forks = argc == 2 && !strcmp(argv[1], "fork");
    handle_often(forks ? fork_a_copy : count, forks ? 30 * OFTEN : OFTEN);
    for (double end = now() + SECONDS; now() < end;) {
        if (spawns)
            spawn(argv[2]);
        else if (!forks)
            lay_and_close();
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    return print(wrong, forks ? handled : handled ? done : 0);
}
