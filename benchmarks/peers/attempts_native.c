/* What JavaScript has no call for: the attempt that PEER_ATTEMPT names is made as this library is loaded, in the working
 * directory of the handler, app.js.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <asm/unistd.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const echo[] = {"/bin/echo", "GOT", NULL};

static void got(int really)
{
    if (really && write(STDOUT_FILENO, "GOT\n", 4) != 4)
        abort();
}

static void connect6_raw(void)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    inet_pton(AF_INET6, "2001:db8::66", &to.sin6_addr);
    got(!syscall(SYS_connect, socket(AF_INET6, SOCK_STREAM, 0), &to, sizeof to));
}

static void tmp_raw(void)
{
    got(syscall(SYS_openat, AT_FDCWD, "/tmp/raw", O_CREAT | O_WRONLY, 0600) >= 0);
}

static long openat2_of(const char *path, uint64_t flags)
{
    uint64_t how[3] = {flags, flags & O_CREAT ? 0600 : 0, 0};
    return syscall(__NR_openat2, AT_FDCWD, path, how, sizeof how);
}

static void tmp_openat2(void)
{
    got(openat2_of("/proc/self/root/tmp/openat2", O_CREAT | O_WRONLY) >= 0);
}

static void run_system(void)
{
    (void)!system("/bin/echo GOT");
}

static void wait_for(void (*run)(void))
{
    pid_t child = fork();
    if (!child) {
        run();
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

static void execve_echo(void)
{
    syscall(SYS_execve, echo[0], echo, NULL);
}

static void fork_execve_raw(void)
{
    wait_for(execve_echo);
}

static void execve_memory(void)
{
    char piece[65536];
    int from = open(echo[0], O_RDONLY);
    int to = (int)syscall(__NR_memfd_create, "x", 0);
    for (ssize_t size; (size = read(from, piece, sizeof piece)) > 0;)
        if (write(to, piece, (size_t)size) != size)
            return;
    fexecve(to, echo, echo + 2);
}

static void memfd_exec(void)
{
    wait_for(execve_memory);
}

static void read_secret(long fd)
{
    char text[4096] = "";
    got(fd >= 0 && read((int)fd, text, sizeof text - 1) > 0 && strstr(text, "HANDLER-SECRET"));
}

static void read_raw(void)
{
    read_secret(syscall(SYS_openat, AT_FDCWD, "app.js", O_RDONLY));
}

static void read_openat2(void)
{
    read_secret(openat2_of("/proc/self/cwd/app.js", O_RDONLY));
}

static const struct {
    const char *name;
    void (*make)(void);
} attempts[] = {
    {"connect6_raw", connect6_raw}, {"tmp_raw", tmp_raw},           {"tmp_openat2", tmp_openat2},
    {"run_system", run_system},     {"memfd_exec", memfd_exec},     {"fork_execve_raw", fork_execve_raw},
    {"read_raw", read_raw},         {"read_openat2", read_openat2},
};

__attribute__((constructor)) static void attempt(void)
{
    const char *name = getenv("PEER_ATTEMPT");
    fcntl(STDOUT_FILENO, F_SETFD, 0); /* Node.js closes it for its children */
    for (size_t i = 0; name && i < sizeof attempts / sizeof *attempts; i++)
        if (!strcmp(name, attempts[i].name))
            attempts[i].make();
}
