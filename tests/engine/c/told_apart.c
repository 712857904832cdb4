/* Whom the gate takes its caller for. What it remembers of threads is in memory that a forked copy does not take along
 * (the only such mapping), each as a word: the thread's pointer / 64 * 2^22 + its number.
 *
 *   told_apart reuse    thread after thread on the same stack: counts those remembered by another's number
 *   told_apart many     the same of many threads at once, which fight for the places
 *   told_apart shared   a thread was made that shares its maker's pointer
 *   told_apart moved    a thread was given a pointer (x86_64)
 *   told_apart copy     a forked copy, from the midst of a call as well
 *   told_apart kin      a vfork child
 * The last four count the words that are remembered from then on: nobody may be.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 300, AT_ONCE = 100, TURNS = 300, COPIES = 200, STACK = 1 << 18 };
static uint64_t *first, *behind;
static atomic_int wrong, right, go;
static char stack[STACK] __attribute__((aligned(64)));

static uint64_t pointer(void)
{
    uint64_t value;
#if defined(__x86_64__)
    __asm__("mov %%fs:0, %0" : "=r"(value)); /* the ABI has it point to itself */
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(value));
#endif
    return value;
}

static void find_memory(void)
{
    char line[512];
    unsigned long from = 0, to = 0;
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long low, high;
        if (sscanf(line, "%lx-%lx ", &low, &high) == 2) {
            from = low;
            to = high;
        } else if (!strncmp(line, "VmFlags:", 8) && strstr(line, " wf")) {
            first = (uint64_t *)from;
            behind = (uint64_t *)to;
        }
    }
    fclose(maps);
}

/* The number that this thread is remembered by; 0: it is not. */
static int remembered(void)
{
    for (uint64_t *word = first; word < behind; word++)
        if (*word >> 22 == pointer() >> 6)
            return (int)(*word & ((1 << 22) - 1));
    return 0;
}

static void guarded_call(void)
{
    close(dup(2));
}

static void look(void)
{
    int number = remembered();
    right += number == (int)syscall(SYS_gettid);
    wrong += number && number != (int)syscall(SYS_gettid);
}

static void *once(void *unused)
{
    guarded_call();
    look();
    return unused;
}

static void *often(void *unused)
{
    while (!go)
        sched_yield();
    for (int i = 0; i < TURNS; i++)
        once(NULL);
    return unused;
}

static void *wait_for_end(void *unused)
{
    pause();
    return unused;
}

static void make(void *(*what)(void *), int count, int at_once)
{
    pthread_t threads[AT_ONCE];
    for (int i = 0; i < count; i += at_once) {
        for (int k = 0; k < at_once; k++)
            if (pthread_create(&threads[k], NULL, what, NULL))
                abort();
        go = 1;
        for (int k = 0; k < at_once; k++)
            pthread_join(threads[k], NULL);
    }
}

static int do_nothing(void *unused)
{
    (void)unused;
    return 0;
}

static void share(void)
{
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if (clone(do_nothing, stack + sizeof stack, flags, NULL) < 0)
        abort();
}

static void move(void)
{
#if defined(__x86_64__)
    syscall(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, pointer());
#endif
}

static int counted_in_copy(pid_t copy)
{
    int status = 0;
    waitpid(copy, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int anybody(void)
{
    right = wrong = 0;
    make(once, 20, 1);
    return right + wrong;
}

static void fork_in_handler(int number)
{
    (void)number;
    static atomic_int copies;
    if (copies++ >= COPIES)
        return;
    pid_t copy = fork();
    if (!copy) {
        guarded_call();
        return; /* to the midst of the call, and from there to the copy's own turn */
    }
    wrong += counted_in_copy(copy);
}

static void copy(void)
{
    pid_t self = getpid(), child = fork();
    if (!child)
        _exit(anybody());
    wrong += counted_in_copy(child);
    signal(SIGALRM, fork_in_handler);
    struct itimerval often_enough = {{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &often_enough, NULL);
    for (int i = 0; i < 200000 && getpid() == self; i++)
        guarded_call();
    if (getpid() != self)
        _exit(anybody());
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    pthread_t company;
    find_memory();
    pthread_create(&company, NULL, wait_for_end, NULL);
    if (!strcmp(kind, "many")) {
        make(often, AT_ONCE, AT_ONCE);
        printf("%d %d\n", wrong, right > AT_ONCE);
        return 0;
    }
    make(once, THREADS, 1);
    int all_right = right == THREADS; /* also that what is looked for below is there before */
    if (!strcmp(kind, "shared"))
        share();
    else if (!strcmp(kind, "moved"))
        move();
    else if (!strcmp(kind, "copy"))
        copy();
    else if (!strcmp(kind, "kin") && !vfork())
        _exit(0);
    if (!strcmp(kind, "shared") || !strcmp(kind, "moved") || !strcmp(kind, "kin"))
        wrong += anybody();
    printf("%d %d\n", wrong, all_right);
    return 0;
}
