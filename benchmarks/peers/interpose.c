/* A fair, minimal interposer for LD_PRELOAD: the functions of libc by which programs open, connect and start others. What
 * does not come by one of these names through the dynamic linker is not seen: calls within libc (system, the resolver),
 * syscall(), another libc, static programs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"

extern char **environ;

/* libc's own function of this name. */
#define LIBC(name)                                                                                           \
    ({                                                                                                       \
        static __typeof__(&name) found;                                                                      \
        if (!found)                                                                                          \
            found = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                                              \
        found;                                                                                               \
    })
#define REFUSE_IF(denied, result)                                                                            \
    if (denied)                                                                                              \
    return errno = EACCES, (result)

__attribute__((constructor)) static void begin(void)
{
    read_policy();
}

static int is_denied(int folder, const char *path)
{
    char link[64] = "/proc/self/cwd";
    if (folder != AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    return path && is_denied_from(link, path);
}

static int judge_and_open(int folder, const char *path, int flags, mode_t mode)
{
    REFUSE_IF(is_denied(folder, path), -1);
    return LIBC(openat)(folder, path, flags, mode);
}

#define MODE_AFTER(flags)                                                                                    \
    va_list rest;                                                                                            \
    va_start(rest, flags);                                                                                   \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                \
    va_end(rest)

int open(const char *path, int flags, ...)
{
    MODE_AFTER(flags);
    return judge_and_open(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char *path, int flags, ...)
{
    MODE_AFTER(flags);
    return judge_and_open(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));

int creat(const char *path, mode_t mode)
{
    return judge_and_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

FILE *fopen(const char *path, const char *how)
{
    REFUSE_IF(is_denied(AT_FDCWD, path), NULL);
    return LIBC(fopen)(path, how);
}
FILE *fopen64(const char *path, const char *how) __attribute__((alias("fopen")));

int mkdir(const char *path, mode_t mode)
{
    REFUSE_IF(is_denied(AT_FDCWD, path), -1);
    return LIBC(mkdir)(path, mode);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    REFUSE_IF(address && is_denied_address(address, length), -1);
    return LIBC(connect)(fd, address, length);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    REFUSE_IF(address && is_denied_address(address, length), -1);
    return LIBC(sendto)(fd, data, size, flags, address, length);
}

/* Numbers, and the machine's own name. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int is_number = name && (!name[strspn(name, "0123456789.")] || strchr(name, ':'));
    if (name && !is_number && strcmp(name, "localhost"))
        return EAI_NONAME;
    return LIBC(getaddrinfo)(name, service, hints, found);
}

int execve(const char *path, char *const argv[], char *const env[])
{
    REFUSE_IF(is_denied_program(path), -1);
    return LIBC(execve)(path, argv, env);
}

int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

/* A name without a slash, which libc would look for in PATH, is on no list. */
int execvp(const char *file, char *const argv[])
{
    return execve(file, argv, environ);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    if (is_denied_program(path))
        return EACCES;
    return LIBC(posix_spawn)(pid, path, actions, attributes, argv, env);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    if (is_denied_program(file))
        return EACCES;
    return LIBC(posix_spawnp)(pid, file, actions, attributes, argv, env);
}
