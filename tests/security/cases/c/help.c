/* Calls that Python has no words for, made through libc by a library that the cases load. Results: what the kernel
 * gave, errors as -errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int waited(pid_t child)
{
    int status;
    if (child < 0)
        return -errno;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -255;
}

/* ---- children, each way that the kernel has of making one; the exit status is the errno */

static char *const no_environment[] = {NULL};
static char *const arguments[] = {(char *)"mark", NULL};

static int execute(const char *path)
{
    execve(path, arguments, no_environment);
    return errno;
}

int vfork_exec(const char *path)
{
    pid_t child = vfork();
    if (child == 0)
        _exit(execute(path));
    return waited(child);
}

static char child_stack[65536] __attribute__((aligned(64)));

static int execute_it(void *path)
{
    return execute(path);
}

static int clone_exec(const char *path, int flags)
{
    return waited(
        clone(execute_it, child_stack + sizeof child_stack, CLONE_VM | flags | SIGCHLD, (void *)path));
}

int clone_vm_exec(const char *path)
{
    return clone_exec(path, CLONE_VFORK);
}

/* Another thread of execution in the same memory, without vfork's wait and with descriptors of its own. */
int clone_vm_only_exec(const char *path)
{
    return clone_exec(path, 0);
}

/* A vfork child, which shares memory with its parent, opens a file. */
int vfork_create(const char *path)
{
    pid_t child = vfork();
    if (child == 0) {
        int file = open(path, O_CREAT | O_WRONLY, 0600);
        _exit(file < 0 ? errno : 0);
    }
    return waited(child);
}
