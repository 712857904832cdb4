/* `notify PROGRAM [ARGUMENT ...]`: runs the program under a seccomp filter that hands opens, connects and execs to this
 * process (seccomp_unotify(2)). It reads the path or the address from the other's memory, decides by prefix, and answers
 * EACCES, or lets the kernel go on. The kernel then reads the argument anew, and another thread may have changed it in
 * between, as the manual says; a supervisor that made the calls itself would cost more than this one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"

#ifdef __x86_64__
#define MACHINE AUDIT_ARCH_X86_64
#else
#define MACHINE AUDIT_ARCH_AARCH64
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1
#endif

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "notify: %s: %s\n", what, strerror(errno));
    exit(125);
}

enum shape {
    PATH_FIRST,
    PATH_SECOND,
    ADDRESS_SECOND,
    ADDRESS_FIFTH,
    MESSAGE,
    MESSAGES,
    PROGRAM_FIRST,
    PROGRAM_SECOND
};

static const struct {
    int nr;
    enum shape shape;
} watched[] = {
#ifdef SYS_open
    {SYS_open, PATH_FIRST},        {SYS_creat, PATH_FIRST},     {SYS_mkdir, PATH_FIRST},
#endif
    {SYS_openat, PATH_SECOND},     {SYS_openat2, PATH_SECOND},  {SYS_mkdirat, PATH_SECOND},
    {SYS_connect, ADDRESS_SECOND}, {SYS_sendto, ADDRESS_FIFTH}, {SYS_sendmsg, MESSAGE},
    {SYS_sendmmsg, MESSAGES},      {SYS_execve, PROGRAM_FIRST}, {SYS_execveat, PROGRAM_SECOND},
};
enum { WATCHED = sizeof watched / sizeof *watched };

/* Two instructions for each call, and sendto is asked about only with an address: without one it goes where connect led. */
static int install_filter(void)
{
    struct sock_filter code[2 * WATCHED + 9] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    unsigned short length = 4;
    for (int i = 0; i < WATCHED; i++)
        if (watched[i].nr != SYS_sendto) {
            code[length++] =
                (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)watched[i].nr, 0, 1);
            code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
        }
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 3);
    code[length++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4]));
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = length, .filter = code};
    must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
    int listener =
        (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    must(listener >= 0, "seccomp");
    return listener;
}

static int copy(pid_t pid, uint64_t from, void *to, size_t size)
{
    struct iovec here = {to, size}, there = {(void *)(uintptr_t)from, size};
    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* In steps that cross no page: what lies behind the end of the text may be no memory. */
static int copy_text(pid_t pid, uint64_t from, char *text)
{
    for (size_t length = 0, step; length < PATH_SIZE; length += step) {
        step = 256 - (from + length) % 256;
        step = step < PATH_SIZE - length ? step : PATH_SIZE - length;
        if (!copy(pid, from + length, text + length, step))
            return 0;
        if (memchr(text + length, 0, step))
            return 1;
    }
    return 0;
}

static int refuses_path(pid_t pid, int folder, uint64_t at)
{
    char link[64], path[PATH_SIZE];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", (int)pid, folder);
    return !copy_text(pid, at, path) || is_denied_from(link, path);
}

static int refuses_address(pid_t pid, uint64_t at, uint64_t length)
{
    struct sockaddr_storage address = {0};
    length = length < sizeof address ? length : sizeof address;
    if (!at || !length)
        return 0;
    return !copy(pid, at, &address, length) ||
           is_denied_address((struct sockaddr *)&address, (socklen_t)length);
}

static int refuses_message(pid_t pid, uint64_t at)
{
    struct msghdr message;
    return !copy(pid, at, &message, sizeof message) ||
           refuses_address(pid, (uintptr_t)message.msg_name, message.msg_namelen);
}

static int refuses_messages(pid_t pid, uint64_t at, uint64_t count)
{
    for (uint64_t i = 0; i < count && i < 64; i++)
        if (refuses_message(pid, at + i * sizeof(struct mmsghdr)))
            return 1;
    return 0;
}

static int refuses_program(pid_t pid, uint64_t at)
{
    char path[PATH_SIZE];
    return !copy_text(pid, at, path) || is_denied_program(path);
}

static int refuses(const struct seccomp_notif *asked)
{
    const __u64 *args = asked->data.args;
    pid_t pid = (pid_t)asked->pid;
    int which = 0;
    while (which < WATCHED && watched[which].nr != asked->data.nr)
        which++;
    if (which == WATCHED)
        return 1;
    switch (watched[which].shape) {
    case PATH_FIRST: return refuses_path(pid, AT_FDCWD, args[0]);
    case PATH_SECOND: return refuses_path(pid, (int)args[0], args[1]);
    case ADDRESS_SECOND: return refuses_address(pid, args[1], args[2]);
    case ADDRESS_FIFTH: return refuses_address(pid, args[4], args[5]);
    case MESSAGE: return refuses_message(pid, args[1]);
    case MESSAGES: return refuses_messages(pid, args[1], args[2]);
    case PROGRAM_FIRST: return refuses_program(pid, args[0]);
    case PROGRAM_SECOND: return refuses_program(pid, args[1]);
    }
    return 1;
}

/* Until nobody is left who has the filter. The first exec is the program itself. */
static void supervise(int listener)
{
    struct seccomp_notif asked;
    int began = 0;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
          (uint64_t)SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP); /* Linux 6.6 */
    for (;;) {
        memset(&asked, 0, sizeof asked);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) {
            if (errno == EINTR)
                continue;
            return;
        }
        int is_first = !began && asked.data.nr == SYS_execve;
        struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        if (!is_first && refuses(&asked))
            answer = (struct seccomp_notif_resp){.id = asked.id, .error = -EACCES};
        began |= is_first;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

int main(int argc, char **argv)
{
    int ends[2], number, status;
    errno = EINVAL;
    must(argc > 1, "usage: notify PROGRAM [ARGUMENT ...]");
    read_policy();
    must(!pipe(ends), "pipe");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (!child) {
        number = fcntl(install_filter(), F_DUPFD_CLOEXEC, 100);
        must(write(ends[1], &number, sizeof number) == sizeof number, "write");
        close(ends[0]);
        close(ends[1]);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    close(ends[1]);
    must(read(ends[0], &number, sizeof number) == sizeof number, "the child has no filter");
    close(ends[0]);
    int process = (int)syscall(SYS_pidfd_open, child, 0);
    int listener = (int)syscall(SYS_pidfd_getfd, process, number, 0);
    must(listener >= 0, "pidfd_getfd");
    close(process);
    supervise(listener);
    must(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
