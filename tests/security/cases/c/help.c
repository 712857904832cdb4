/* Calls that Python has no words for, made through libc by a library that the cases load. Results: what the kernel
 * gave, errors as -errno. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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

int raw_fork_exec(const char *path)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(execute(path));
    return waited(child);
}

int clone3_exec(const char *path)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child < 0 && errno == ENOSYS) /* as libraries do where the kernel has no such call */
        return raw_fork_exec(path);
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

int spawn_exec(const char *path)
{
    pid_t child;
    int error = posix_spawn(&child, path, NULL, NULL, arguments, no_environment);
    return error ? -error : waited(child);
}

int execveat_empty(const char *path)
{
    int program = open(path, O_PATH | O_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        syscall(SYS_execveat, program, "", arguments, no_environment, AT_EMPTY_PATH);
        _exit(errno);
    }
    close(program);
    return waited(child);
}

/* A thread replaces the whole process; done in a child, as nobody else would be there to look. */
static void *replace(void *path)
{
    _exit(execute(path));
}

int exec_in_thread(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, replace, (void *)path);
        for (;;)
            pause();
    }
    return waited(child);
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

/* ---- other ways into libc and the kernel */

int nocancel_open(const char *path)
{
    int (*function)(const char *, int, ...) =
        (int (*)(const char *, int, ...))dlsym(RTLD_DEFAULT, "__open_nocancel");
    if (!function)
        return -ENOSYS;
    int file = function(path, O_RDONLY);
    return file < 0 ? -errno : file;
}

int open_by_number(int openat_number, const char *path)
{
    long file = syscall(openat_number, AT_FDCWD, path, O_RDONLY, 0);
    return file < 0 ? -errno : (int)file;
}

/* mov $42, %eax; ret / mov w0, #42; ret */
int run_code(void *at)
{
    return ((int (*)(void))at)();
}
