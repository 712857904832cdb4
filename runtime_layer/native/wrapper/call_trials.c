/* Tries the calls in a forked copy, with its own memory, as a core dump would end all processes that share it (Linux before
 * 5.16). Tests: tests/lab/refused_calls/test_refused_calls.py,
 * tests/integration/launcher/test_doctor.py. */
#include "call_trials.h"

#include <asm/ioctls.h>
#include <linux/membarrier.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/tcp.h>
#include <linux/wait.h>

#include "../core/text.h"
#include "../engine/base/linux_abi.h"
#include "../engine/base/raw_syscall.h"
#include "../engine/trials/trial.h"

enum { NO_SUCH_PROCESS = 0x7ffffffe };

/* The first is the call that reaps the trying process. */
static const struct trial rows[] = {
    TRIAL("wait4", ANYTHING | FALLS_BACK, ANSWERS, wait4, NO_SUCH_PROCESS, 0, WNOHANG | __WALL),
    TRIAL("madvise(MADV_WIPEONFORK)", ANYTHING | FALLS_BACK, ANSWERS, madvise, A_PAGE_2, PAGE,
          MADV_WIPEONFORK),
    TRIAL("getpid", ANYTHING, SUCCEEDS, getpid, 0),
    TRIAL("gettid", ANYTHING, SUCCEEDS, gettid, 0),
    TRIAL("getcpu", ANYTHING | FALLS_BACK, SUCCEEDS, getcpu, A_OUT),
    TRIAL("mincore", ANYTHING | FALLS_BACK, SUCCEEDS, mincore, A_PAGE, 0, A_OUT),
    TRIAL("mprotect", ANYTHING, SUCCEEDS, mprotect, A_PAGE_2, PAGE, PROT_READ),
    TRIAL("getdents64", ANYTHING, ANSWERS, getdents64, A_FILE, A_OUT, PAGE / 2),
    TRIAL("pread64", ANYTHING, ANSWERS, pread64, A_FILE, A_OUT, 4, 0),
    TRIAL("prlimit64", ANYTHING, SUCCEEDS, prlimit64, 0, RLIMIT_NOFILE, 0, A_OUT),
    TRIAL("prlimit64", ANYTHING, IF_LAST, prlimit64, 0, RLIMIT_NOFILE, A_OUT, 0),
    TRIAL("geteuid", ANYTHING, SUCCEEDS, geteuid, 0),
    TRIAL("nanosleep", ANYTHING, ANSWERS, nanosleep, A_NO_TIME),
    TRIAL("membarrier", ANYTHING | FALLS_BACK, ANSWERS, membarrier,
          MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
    TRIAL("fcntl(F_DUPFD)", ANYTHING, MAKES, fcntl, A_FILE, F_DUPFD),
    TRIAL("fcntl(F_DUPFD_CLOEXEC)", ANYTHING, MAKES, fcntl, A_FILE, F_DUPFD_CLOEXEC),
    TRIAL("fcntl(F_GETFD)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_GETFD),
    TRIAL("fcntl(F_SETFD)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_SETFD, FD_CLOEXEC),
    TRIAL("clock_gettime", ALERTS, SUCCEEDS, clock_gettime, CLOCK_REALTIME, A_OUT),
    TRIAL("write", ALERTS, ANSWERS, write, 2, A_EMPTY, 0),
    TRIAL("openat(O_PATH)", FILES | PROGRAMS, MAKES, openat, AT_FDCWD, A_LINK, O_PATH | O_CLOEXEC),
    TRIAL("openat2", FILES | PROGRAMS | FALLS_BACK, MAKES, openat2, AT_FDCWD, A_ROOT, A_OPEN_HOW,
          sizeof(struct open_how)),
    TRIAL("newfstatat", FILES | PROGRAMS, SUCCEEDS, newfstatat, AT_FDCWD, A_ROOT, A_OUT, AT_SYMLINK_NOFOLLOW),
    TRIAL("statx", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, statx, AT_FDCWD, A_ROOT, 0, STATX_BASIC_STATS,
          A_OUT),
    TRIAL("statfs", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, statfs, A_ROOT, A_OUT),
    TRIAL("fstatfs", FILES | PROGRAMS | FALLS_BACK, SUCCEEDS, fstatfs, A_FILE, A_OUT),
    TRIAL("fcntl(F_GET_SEALS)", MEMORY | PROGRAMS, ANSWERS, fcntl, A_FILE, F_GET_SEALS),
    TRIAL("faccessat", MEMORY | PROGRAMS, SUCCEEDS, faccessat, AT_FDCWD, A_ROOT, 0),
    TRIAL("execve", PROGRAMS, ANSWERS, execve, A_EMPTY, 0, 0),
    TRIAL("execveat", PROGRAMS, ANSWERS, execveat, -1, A_EMPTY, 0, 0, AT_EMPTY_PATH),
    TRIAL("fgetxattr", PROGRAMS, ANSWERS, fgetxattr, A_FILE, A_XATTR),
    TRIAL("kill", PROGRAMS | FALLS_BACK, ANSWERS, kill, 0, 0),
    TRIAL("fcntl(F_SETLEASE)", PROGRAMS | FALLS_BACK, ANSWERS, fcntl, A_FILE, F_SETLEASE, F_UNLCK),
    TRIAL("socket", NETWORK, ANSWERS, socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, -1),
    TRIAL("getsockopt(SO_DOMAIN)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_DOMAIN, A_OUT, A_SIZE),
    TRIAL("getsockopt(SO_COOKIE)", NETWORK, ANSWERS, getsockopt, A_UDP, SOL_SOCKET, SO_COOKIE, A_OUT, A_SIZE),
    TRIAL("setsockopt(SO_LOCK_FILTER)", NETWORK | FALLS_BACK, SUCCEEDS, setsockopt, A_UDP, SOL_SOCKET,
          SO_LOCK_FILTER, A_ON, 4),
    /* It is read only where it can be set (fd_marks.c). */
    TRIAL("getsockopt(SO_LOCK_FILTER)", NETWORK, IF_LAST, getsockopt, A_UDP, SOL_SOCKET, SO_LOCK_FILTER,
          A_OUT, A_SIZE),
    TRIAL("getsockopt(TCP_INFO)", NETWORK, ANSWERS, getsockopt, A_UDP, SOL_TCP, TCP_INFO, A_OUT, A_SIZE),
    TRIAL("getsockname", NETWORK | FALLS_BACK, ANSWERS, getsockname, A_UDP, A_OUT, A_SIZE),
    TRIAL("connect", NETWORK, ANSWERS, connect, A_UDP, A_PAGE,
          16), /* AF_UNSPEC: no peer any more (connect(2)) */
    TRIAL("shutdown", NETWORK, ANSWERS, shutdown, A_UDP, SHUT_WR),
    TRIAL("bind", NETWORK, ANSWERS, bind, -1, A_PAGE, 16),
    TRIAL("sendto", NETWORK, ANSWERS, sendto, A_UDP, A_PAGE, 0, MSG_DONTWAIT),
    TRIAL("sendmmsg", NETWORK | FALLS_BACK, ANSWERS, sendmmsg, A_UDP, 0, 0, MSG_DONTWAIT),
    TRIAL("recvfrom", NETWORK, ANSWERS, recvfrom, A_UDP, A_OUT, 1, MSG_DONTWAIT),
    TRIAL("ioctl(FIONREAD)", NETWORK, ANSWERS, ioctl, A_UDP, FIONREAD, A_OUT),
    TRIAL("uname", NETWORK | FALLS_BACK, SUCCEEDS, uname, A_OUT),
    TRIAL("llistxattr", CLEARING | FALLS_BACK, ANSWERS, llistxattr, A_XATTR, 0, 0),
    TRIAL("mkdirat", CLEARING | FILES, ANSWERS, mkdirat, -1, A_XATTR, 0700),
    TRIAL("fchmodat", CLEARING | FALLS_BACK, ANSWERS, fchmodat, -1, A_XATTR, 0700),
    TRIAL("renameat2", CLEARING, ANSWERS, renameat2, -1, A_XATTR, -1, A_XATTR),
    TRIAL("fchmod", CLEARING | FALLS_BACK, ANSWERS, fchmod, -1, 0700),
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Memory shared with the trying process: its current row, and the result of the last. */
struct notes {
    uint32_t at;
    int32_t result;
};

static const struct trial *trial_at(uint32_t at)
{
    return at < ROWS ? &rows[at] : &needed_calls[at - ROWS];
}

/* Stops at the first call that the policy lacks. */
static void try_rows(volatile struct notes *notes, uint32_t needs)
{
    struct trial_tools tools;
    int32_t result = 0;
    if (trial_begin(&tools)) { /* else arming will meet the same limit, and report it */
        for (; notes->at < ROWS + NEEDED_CALLS; notes->at++) {
            const struct trial *row = trial_at(notes->at);
            result = row->need & needs ? try_call(&tools, row) : 0;
            if (result && !(row->need & FALLS_BACK))
                break;
            result = 0;
        }
        trial_end(&tools);
    }
    notes->result = result;
}

/* This process waits in clone(2), and the copy's end sends no signal. */
static void try_in_child(volatile struct notes *notes, uint32_t needs)
{
    int64_t child = KERNEL(clone, CLONE_VFORK, 0, 0, 0, 0);
    if (child == 0) {
        try_rows(notes, needs);
        KERNEL(exit_group, 0);
        __builtin_trap();
    }
    if (is_error(child))
        try_rows(notes, needs);
    else if (notes->at > 0) /* else wait4 killed the copy */
        KERNEL(wait4, child, 0, __WALL, 0);
}

bool try_calls(const struct policy *policy, struct writer *error)
{
    uint32_t needs = needs_of(policy);
    int64_t memory =
        KERNEL(mmap, 0, sizeof(struct notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (is_error(memory)) {
        put_words(error, "out of memory");
        return false;
    }
    volatile struct notes *notes = (struct notes *)memory;
    notes->result = ENDS_PROCESS;
    if (needs)
        try_in_child(notes, needs);
    else
        notes->result = 0;
    struct notes found = *notes;
    KERNEL(munmap, memory, sizeof(struct notes));
    if (found.result)
        put_missing(error, trial_at(found.at), found.result, needs);
    return !found.result;
}
