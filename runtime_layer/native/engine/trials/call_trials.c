#include "call_trials.h"

#include <asm/ioctls.h>
#include <linux/membarrier.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/tcp.h>
#include <linux/wait.h>

#include "../../core/text.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "needed_calls.h"

/* Placeholders of arguments. Offsets are within the first page. */
enum argument {
    A_FILE = 0x7f000000,
    A_UDP,
    A_PAGE = 0x7f100000, /* zeroes: no time, no signal, no address */
    A_EMPTY = A_PAGE,    /* a name of no length */
    A_POLLFD = A_PAGE + 64,
    A_NO_TIME = A_PAGE + 96, /* an invalid time: the call returns at once */
    A_OPEN_HOW = A_PAGE + 128,
    A_ON = A_PAGE + 192,
    A_SIZE = A_PAGE + 200,
    A_ROOT = A_PAGE + 208, /* "/" */
    A_XATTR = A_PAGE + 216,
    A_LINK = A_PAGE + 256, /* a path to A_FILE */
    A_OUT = A_PAGE + 1024,
    A_PAGE_2 = A_PAGE + PAGE,
    A_PAGE_3 = A_PAGE + 2 * PAGE,
    A_END = A_PAGE + 3 * PAGE
};

enum means {
    SUCCEEDS, /* any error is a failure */
    MAKES,    /* the same, and the descriptor is closed again */
    ANSWERS,  /* it fails as an object is missing, but must not be refused */
    KNOWS,    /* any error is a failure, unless there is no socket */
    IF_LAST   /* it counts only where the row before it succeeded */
};

enum { SIGNALS_SIZE = 8, NO_SUCH_HOW = 0x7fffffff, NO_SUCH_PROCESS = 0x7ffffffe };
#define ROW(name, need, means, call, ...)                                                                    \
    {                                                                                                        \
        name, need, means, __NR_##call,                                                                      \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

static const struct trial rows[] = {
    ROW("wait4", ANYTHING | FALLS_BACK, ANSWERS, wait4, NO_SUCH_PROCESS, 0, WNOHANG | __WALL),
    ROW("madvise", ANYTHING, ANSWERS, madvise, A_PAGE_2, PAGE,
        MADV_NORMAL), /* it fails with larger pages: page_size.c */
    ROW("fstat", ANYTHING, SUCCEEDS, fstat, A_FILE, A_OUT),
    ROW("madvise(MADV_WIPEONFORK)", ANYTHING | FALLS_BACK, ANSWERS, madvise, A_PAGE_2, PAGE, MADV_WIPEONFORK),
    ROW("getpid", ANYTHING, SUCCEEDS, getpid, 0),
    ROW("gettid", ANYTHING, SUCCEEDS, gettid, 0),
    /* As in user_memory.c: the set is read before the invalid `how` is reported. */
    ROW("rt_sigprocmask", ANYTHING, ANSWERS, rt_sigprocmask, NO_SUCH_HOW, A_PAGE, 0, SIGNALS_SIZE),
    ROW("rt_sigprocmask", ANYTHING, SUCCEEDS, rt_sigprocmask, SIG_BLOCK, 0, A_OUT, SIGNALS_SIZE),
    ROW("getcpu", ANYTHING | FALLS_BACK, SUCCEEDS, getcpu, A_OUT),
    ROW("mincore", ANYTHING | FALLS_BACK, SUCCEEDS, mincore, A_PAGE, 0, A_OUT),
    ROW("mremap", ANYTHING, SUCCEEDS, mremap, A_PAGE_3, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, A_PAGE_2),
    ROW("mprotect", ANYTHING, SUCCEEDS, mprotect, A_PAGE_2, PAGE, PROT_READ),
    ROW("readlinkat", ANYTHING, SUCCEEDS, readlinkat, AT_FDCWD, A_LINK, A_OUT, PAGE / 2),
    ROW("getdents64", ANYTHING, ANSWERS, getdents64, A_FILE, A_OUT, PAGE / 2),
    ROW("pread64", ANYTHING, ANSWERS, pread64, A_FILE, A_OUT, 4, 0),
    ROW("prlimit64", ANYTHING, SUCCEEDS, prlimit64, 0, RLIMIT_NOFILE, 0, A_OUT),
    ROW("prlimit64", ANYTHING, IF_LAST, prlimit64, 0, RLIMIT_NOFILE, A_OUT, 0),
    ROW("geteuid", ANYTHING, SUCCEEDS, geteuid, 0),
    ROW("nanosleep", ANYTHING, ANSWERS, nanosleep, A_NO_TIME),
    ROW("membarrier", ANYTHING | FALLS_BACK, ANSWERS, membarrier,
        MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
    ROW("fcntl(F_DUPFD)", ANYTHING, MAKES, fcntl, A_FILE, F_DUPFD),
    ROW("fcntl(F_DUPFD_CLOEXEC)", ANYTHING, MAKES, fcntl, A_FILE, F_DUPFD_CLOEXEC),
    ROW("fcntl(F_GETFD)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_GETFD),
    ROW("fcntl(F_SETFD)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_SETFD, FD_CLOEXEC),
    ROW("fcntl(F_GETFL)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_GETFL),
    ROW("clock_gettime", ALERTS, SUCCEEDS, clock_gettime, CLOCK_REALTIME, A_OUT),
    ROW("ppoll", ALERTS, SUCCEEDS, ppoll, A_POLLFD, 1, A_PAGE, 0, SIGNALS_SIZE),
    ROW("write", ALERTS, ANSWERS, write, 2, A_EMPTY, 0),
    ROW("openat(O_PATH)", FILES | PROGRAMS, MAKES, openat, AT_FDCWD, A_LINK, O_PATH | O_CLOEXEC),
    ROW("openat2", FILES | PROGRAMS | FALLS_BACK, MAKES, openat2, AT_FDCWD, A_ROOT, A_OPEN_HOW,
        sizeof(struct open_how)),
    ROW("newfstatat", FILES | PROGRAMS, SUCCEEDS, newfstatat, AT_FDCWD, A_ROOT, A_OUT, AT_SYMLINK_NOFOLLOW),
    ROW("statx", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, statx, AT_FDCWD, A_ROOT, 0, STATX_BASIC_STATS,
        A_OUT),
    ROW("statfs", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, statfs, A_ROOT, A_OUT),
    ROW("fstatfs", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, fstatfs, A_FILE, A_OUT),
    ROW("fcntl(F_GET_SEALS)", MEMORY | PROGRAMS, ANSWERS, fcntl, A_FILE, F_GET_SEALS),
    ROW("faccessat", MEMORY | PROGRAMS, SUCCEEDS, faccessat, AT_FDCWD, A_ROOT, 0),
    ROW("execve", PROGRAMS, ANSWERS, execve, A_EMPTY, 0, 0),
    ROW("execveat", PROGRAMS, ANSWERS, execveat, -1, A_EMPTY, 0, 0, AT_EMPTY_PATH),
    ROW("fgetxattr", PROGRAMS, ANSWERS, fgetxattr, A_FILE, A_XATTR),
    ROW("getresuid", PROGRAMS, SUCCEEDS, getresuid, A_OUT, A_OUT, A_OUT),
    ROW("getresgid", PROGRAMS, SUCCEEDS, getresgid, A_OUT, A_OUT, A_OUT),
    ROW("kill", PROGRAMS | FALLS_BACK, ANSWERS, kill, 0, 0),
    ROW("fcntl(F_SETLEASE)", PROGRAMS | FALLS_BACK, ANSWERS, fcntl, A_FILE, F_SETLEASE, F_UNLCK),
    ROW("socket", NETWORK, ANSWERS, socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, -1),
    ROW("getsockopt(SO_DOMAIN)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_DOMAIN, A_OUT, A_SIZE),
    ROW("getsockopt(SO_PROTOCOL)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_PROTOCOL, A_OUT, A_SIZE),
    ROW("getsockopt(SO_TYPE)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_TYPE, A_OUT, A_SIZE),
    ROW("getsockopt(SO_COOKIE)", NETWORK, ANSWERS, getsockopt, A_UDP, SOL_SOCKET, SO_COOKIE, A_OUT, A_SIZE),
    ROW("setsockopt(SO_LOCK_FILTER)", NETWORK | FALLS_BACK, SUCCEEDS, setsockopt, A_UDP, SOL_SOCKET,
        SO_LOCK_FILTER, A_ON, 4),
    /* It is read only where it can be set (fd_marks.c). */
    ROW("getsockopt(SO_LOCK_FILTER)", NETWORK, IF_LAST, getsockopt, A_UDP, SOL_SOCKET, SO_LOCK_FILTER, A_OUT,
        A_SIZE),
    ROW("getsockopt(TCP_INFO)", NETWORK, ANSWERS, getsockopt, A_UDP, SOL_TCP, TCP_INFO, A_OUT, A_SIZE),
    ROW("getpeername", NETWORK, ANSWERS, getpeername, A_UDP, A_OUT, A_SIZE),
    ROW("getsockname", NETWORK | FALLS_BACK, ANSWERS, getsockname, A_UDP, A_OUT, A_SIZE),
    ROW("connect", NETWORK, ANSWERS, connect, A_UDP, A_PAGE,
        16), /* AF_UNSPEC: no peer any more (connect(2)) */
    ROW("shutdown", NETWORK, ANSWERS, shutdown, A_UDP, SHUT_WR),
    ROW("bind", NETWORK, ANSWERS, bind, -1, A_PAGE, 16),
    ROW("sendto", NETWORK, ANSWERS, sendto, A_UDP, A_PAGE, 0, MSG_DONTWAIT),
    ROW("sendmsg", NETWORK, ANSWERS, sendmsg, A_UDP, 0, MSG_DONTWAIT),
    ROW("sendmmsg", NETWORK | FALLS_BACK, ANSWERS, sendmmsg, A_UDP, 0, 0, MSG_DONTWAIT),
    ROW("recvfrom", NETWORK, ANSWERS, recvfrom, A_UDP, A_OUT, 1, MSG_DONTWAIT),
    ROW("recvmsg", NETWORK, ANSWERS, recvmsg, A_UDP, 0, MSG_DONTWAIT),
    ROW("ioctl(FIONREAD)", NETWORK, ANSWERS, ioctl, A_UDP, FIONREAD, A_OUT),
    ROW("uname", NETWORK | FALLS_BACK, SUCCEEDS, uname, A_OUT),
    ROW("statx", CLEARING, SUCCEEDS, statx, AT_FDCWD, A_ROOT, AT_SYMLINK_NOFOLLOW,
        STATX_BASIC_STATS | STATX_BTIME, A_OUT),
    ROW("llistxattr", CLEARING | FALLS_BACK, ANSWERS, llistxattr, A_XATTR, 0, 0),
    ROW("lseek", CLEARING, SUCCEEDS, lseek, A_FILE, 0, 0),
    ROW("mkdirat", CLEARING | FILES, ANSWERS, mkdirat, -1, A_XATTR, 0700),
    ROW("fchmodat", CLEARING | FALLS_BACK, ANSWERS, fchmodat, -1, A_XATTR, 0700),
    ROW("unlinkat", CLEARING, ANSWERS, unlinkat, -1, A_XATTR),
    ROW("renameat2", CLEARING, ANSWERS, renameat2, -1, A_XATTR, -1, A_XATTR),
    ROW("fchmod", CLEARING | FALLS_BACK, ANSWERS, fchmod, -1, 0700),
};

_Static_assert(sizeof rows / sizeof *rows <= NEEDED_CALLS_MAX, "results of all");

uint32_t trial_count(void)
{
    return sizeof rows / sizeof *rows;
}

const struct trial *trial_at(uint32_t row)
{
    return &rows[row];
}

static void *within(const struct trial_tools *t, enum argument argument)
{
    return (void *)(t->pages + (uint64_t)(argument - A_PAGE));
}

static void put_terminated(const struct trial_tools *t, enum argument at, struct text start, uint32_t number)
{
    struct writer w = {within(t, at), 0, 64, false};
    put(&w, start);
    if (number)
        put_number(&w, number);
    put_char(&w, 0);
}

bool trial_begin(struct trial_tools *t)
{
    t->file = (int32_t)KERNEL(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    t->udp = -1;
    t->last = 0;
    t->pages = (uint64_t)KERNEL(mmap, 0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (is_error(t->file)) /* a program that cannot be read */
        t->file = (int32_t)KERNEL(openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (is_error(t->file) || is_error((int64_t)t->pages))
        return false;
    const struct pollfd ready = {.fd = t->file, .events = POLLIN};
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    const uint64_t no_time[2] = {0, UINT64_MAX};
    const int32_t on = 1;
    copy_bytes(within(t, A_POLLFD), &ready, sizeof ready);
    copy_bytes(within(t, A_OPEN_HOW), &how, sizeof how);
    copy_bytes(within(t, A_NO_TIME), no_time, sizeof no_time);
    copy_bytes(within(t, A_ON), &on, sizeof on);
    put_terminated(t, A_ROOT, TEXT("/"), 0);
    put_terminated(t, A_XATTR, TEXT("security.capability"), 0);
    put_terminated(t, A_LINK, TEXT("/proc/thread-self/fd/"), (uint32_t)t->file);
    return true;
}

void trial_end(const struct trial_tools *t)
{
    KERNEL(close, t->file);
    KERNEL(close, t->udp);
    KERNEL(munmap, t->pages, 2 * PAGE); /* a trial moved the third page to the second's place */
}

/* Makes the socket at the first use. Without IPv4 there is none. */
static uint64_t get_socket(struct trial_tools *t)
{
    if (t->udp < 0)
        t->udp = (int32_t)KERNEL(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC);
    return (uint64_t)t->udp;
}

static uint64_t make_argument(struct trial_tools *t, int32_t argument)
{
    if (argument == (int32_t)A_FILE)
        return (uint64_t)t->file;
    if (argument == (int32_t)A_UDP)
        return get_socket(t);
    bool is_made = argument >= (int32_t)A_PAGE && argument < (int32_t)A_END;
    return is_made ? (uint64_t)within(t, (enum argument)argument) : (uint64_t)argument;
}

static int32_t judge(const struct trial_tools *t, enum means means, int64_t result)
{
    bool is_refused = result == -EPERM || result == -EACCES || result == -ENOSYS;
    if (!is_error(result) || (means == ANSWERS && !is_refused) || (means == IF_LAST && t->last) ||
        (means == KNOWS && result == -EBADF))
        return 0;
    return (int32_t)-result;
}

int32_t try_row(struct trial_tools *t, uint32_t i)
{
    const struct trial *row = &rows[i];
    const int32_t size = 64; /* calls overwrite it with their result's size */
    copy_bytes(within(t, A_SIZE), &size, sizeof size);
    uint64_t a[6];
    for (uint32_t k = 0; k < 6; k++)
        a[k] = make_argument(t, row->arguments[k]);
    int64_t result = kernel_call(row->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (row->means == MAKES && !is_error(result))
        KERNEL(close, result);
    t->last = judge(t, (enum means)row->means, result);
    return t->last;
}
