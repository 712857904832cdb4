/* Processes that share this one's memory, as vfork(2) makes them, and what else there could be.
 *
 *   shared_memory refused          prints the errno of each way to have descriptors and memory apart, 0 where it worked
 *   shared_memory dead|unreaped    vfork children die amid changes of descriptors and of mappings; then a thread opens a
 *                                  file, copies a descriptor and maps a library: counts what fails
 */
#include "midst.h"
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

enum { NUMBER = 50, SIZE = 65536, STACK = 1 << 18, DEATHS = 150, HALF = 4 << 20, WAYS = 6 };
static char stacks[2][STACK] __attribute__((aligned(64)));
static int reaps, got, refusals[WAYS];

static int end(void *unused)
{
    (void)unused;
    syscall(SYS_exit, 0); /* of a thread, or of a process */
    return 0;
}

static int refusal(long result)
{
    return result < 0 ? errno : 0;
}

static int make(int flags)
{
    int result = refusal(clone(end, stacks[1] + STACK, flags, NULL));
    while (!result && flags & SIGCHLD && waitpid(-1, NULL, 0) > 0)
        ;
    return result;
}

enum { THREAD = CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM };

static int be_vfork_child(void *unused)
{
    (void)unused;
    refusals[3] = make(THREAD | CLONE_FILES);
    refusals[4] = make(CLONE_VM | CLONE_VFORK | SIGCHLD);
    refusals[5] = refusal(socket(AF_INET, SOCK_STREAM, 0));
    _exit(0);
}

static void list_refusals(void)
{
    refusals[0] = make(CLONE_VM | SIGCHLD);
    refusals[1] = make(THREAD);
    refusals[2] = make(CLONE_FILES | SIGCHLD);
    waitpid(clone(be_vfork_child, stacks[0] + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL), NULL, 0);
    for (int i = 0; i < WAYS; i++)
        printf("%d ", refusals[i]);
}

static void die_amid(int kind, char *place)
{
    const struct itimerval soon = {.it_value.tv_usec = 200 + rand() % 300};
    pid_t child = vfork();
    if (!child) {
        setitimer(ITIMER_REAL, &soon, NULL);
        for (;;) {
            if (kind) {
                memset(place, 1, HALF);
                syscall(SYS_mmap, place, HALF, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            } else {
                syscall(SYS_close_range, 3, ~0u, 0);
            }
        }
    }
    if (reaps)
        waitpid(child, NULL, 0);
}

static void *look(void *unused)
{
    (void)unused;
    int file = open("/proc/self/exe", O_RDONLY);
    got += file < 0;
    got += dup2(file, NUMBER) != NUMBER;
    got += mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED;
    return NULL;
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    if (!strcmp(kind, "refused")) {
        list_refusals();
        return 0;
    }
    reaps = !strcmp(kind, "dead");
    char *place = mmap(NULL, HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 2 * DEATHS; i++)
        die_amid(i % 2, place);
    pthread_t thread;
    pthread_create(&thread, NULL, look, NULL);
    pthread_join(thread, NULL);
    printf("%d\n", got);
    return 0;
}
