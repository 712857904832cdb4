/* Goes through some guarded calls one instruction at a time (x86_64: the trap flag), and takes a backtrace at each place of
 * the engine's library that is met: unwound LIBSHIELD. Prints how many there were, and from how many the caller was not found.
 * There is a second thread, as the gate has ways of its own then.
 */
#define _GNU_SOURCE
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, NEW = MAP_PRIVATE | MAP_ANONYMOUS, LIBRARY_MAX = 1 << 20 };
static const char *library;
static uintptr_t low, high; /* its code */
static char seen[LIBRARY_MAX];
static int places, lost;
static int pipe_ends[2];
static void *end; /* of every backtrace: where main goes on */

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; strstr(info->dlpi_name, library) && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            high = low + info->dlpi_phdr[i].p_memsz;
        }
    return 0;
}

static void take_backtrace(int signal, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    void *frames[32];
    int found = 0;
    (void)signal, (void)info;
    if (at < low || at >= high || seen[at - low])
        return;
    seen[at - low] = 1;
    places++;
    for (int n = backtrace(frames, 32); n > 0; n--)
        found |= frames[n - 1] == end;
    if (!found && lost++ < 5)
        fprintf(stderr, "lost at %#lx\n", at - low);
}

static void step(int on)
{
    const uint64_t trap = 0x100;
    uint64_t flags;
    __asm__ volatile("pushfq\n pop %0" : "=r"(flags));
    flags = on ? flags | trap : flags & ~trap;
    __asm__ volatile("push %0\n popfq" : : "r"(flags) : "cc", "memory");
}

__attribute__((noinline)) static void make_calls(void)
{
    struct stat st;
    char byte = 0;
    void *frames[1];
    end = __builtin_return_address(0);
    backtrace(frames, 1); /* loads what it needs */
    step(1);
    char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, NEW, -1, 0);
    mprotect(memory, PAGE, PROT_READ);
    open("/tmp/refused",
         O_RDONLY); /* no calls at which the gate blocks signals: a trap would end the program */
    mmap(memory, PAGE, PROT_READ, NEW | MAP_FIXED, -1, 0);
    munmap(memory, 2 * PAGE);
    close(open("/proc/self/stat", O_RDONLY));
    close(open("/etc/passwd", O_RDONLY));
    fstat(pipe_ends[0], &st);
    write(pipe_ends[1], &byte, 1);
    read(pipe_ends[0], &byte, 1);
    step(0);
}

static void *wait_for_ever(void *unused)
{
    pause();
    return unused;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = take_backtrace, .sa_flags = SA_SIGINFO};
    pthread_t thread;
    library = argc == 2 ? argv[1] : "";
    dl_iterate_phdr(find_library, NULL);
    if (!low || high - low > LIBRARY_MAX || pipe(pipe_ends))
        return 2;
    pthread_create(&thread, NULL, wait_for_ever, NULL);
    sigaction(SIGTRAP, &action, NULL);
    make_calls();
    printf("%d %d\n", places, lost);
    return 0;
}
