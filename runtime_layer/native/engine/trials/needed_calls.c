/* Tests: tests/lab/refused_calls/test_refused_calls.py. */
#include "needed_calls.h"

#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/stat.h>

#include "../../core/text.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "trial.h"

enum { SIGNALS_SIZE = 8, NO_SUCH_HOW = 0x7fffffff };

const struct trial needed_calls[NEEDED_CALLS] = {
    TRIAL("madvise", ANYTHING, ANSWERS, madvise, A_PAGE_2, PAGE,
          MADV_NORMAL), /* it fails with larger pages: boot/arm.c */
    TRIAL("fstat", ANYTHING, SUCCEEDS, fstat, A_FILE, A_OUT),
    /* As in user_memory.c: the set is read before the invalid `how` is reported. */
    TRIAL("rt_sigprocmask", ANYTHING, ANSWERS, rt_sigprocmask, NO_SUCH_HOW, A_PAGE, 0, SIGNALS_SIZE),
    TRIAL("rt_sigprocmask", ANYTHING, SUCCEEDS, rt_sigprocmask, SIG_BLOCK, 0, A_OUT, SIGNALS_SIZE),
    TRIAL("mremap", ANYTHING, SUCCEEDS, mremap, A_PAGE_3, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
          A_PAGE_2),
    TRIAL("readlinkat", ANYTHING, SUCCEEDS, readlinkat, AT_FDCWD, A_LINK, A_OUT, PAGE / 2),
    TRIAL("prlimit64", ANYTHING, SUCCEEDS, prlimit64, 0, RLIMIT_NOFILE, 0, A_OUT),
    TRIAL("fcntl(F_GETFL)", ANYTHING, SUCCEEDS, fcntl, A_FILE, F_GETFL),
    TRIAL("ppoll", ALERTS, SUCCEEDS, ppoll, A_POLLFD, 1, A_PAGE, 0, SIGNALS_SIZE),
    TRIAL("getresuid", PROGRAMS, SUCCEEDS, getresuid, A_OUT, A_OUT, A_OUT),
    TRIAL("getresgid", PROGRAMS, SUCCEEDS, getresgid, A_OUT, A_OUT, A_OUT),
    TRIAL("getsockopt(SO_PROTOCOL)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_PROTOCOL, A_OUT,
          A_SIZE),
    TRIAL("getsockopt(SO_TYPE)", NETWORK, KNOWS, getsockopt, A_UDP, SOL_SOCKET, SO_TYPE, A_OUT, A_SIZE),
    TRIAL("getpeername", NETWORK, ANSWERS, getpeername, A_UDP, A_OUT, A_SIZE),
    TRIAL("sendmsg", NETWORK, ANSWERS, sendmsg, A_UDP, 0, MSG_DONTWAIT),
    TRIAL("recvmsg", NETWORK, ANSWERS, recvmsg, A_UDP, 0, MSG_DONTWAIT),
    TRIAL("statx", CLEARING, SUCCEEDS, statx, AT_FDCWD, A_ROOT, AT_SYMLINK_NOFOLLOW,
          STATX_BASIC_STATS | STATX_BTIME, A_OUT),
    TRIAL("lseek", CLEARING, SUCCEEDS, lseek, A_FILE, 0, 0),
    TRIAL("unlinkat", CLEARING, ANSWERS, unlinkat, -1, A_XATTR),
};

static const struct {
    uint8_t need;
    char text[37];
} purposes[] = {
    {ANYTHING, "the shield needs"},
    {ALERTS, "alerts need"},
    {NETWORK, "outbound_connectivity needs"},
    {FILES, "read_write_tmp and read_handler need"},
    {PROGRAMS, "create_child_process needs"},
    {MEMORY, "executable_memory needs"},
    {CLEARING, "clear_tmp needs"},
};

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
    t->file = (int32_t)KERNEL(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    t->udp = -1;
    t->last = 0;
    t->pages = (uint64_t)new_memory(3 * PAGE);
    if (is_error(t->file)) /* a program that cannot be read */
        t->file = (int32_t)KERNEL(openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (is_error(t->file) || !t->pages)
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
        t->udp = (int32_t)KERNEL(socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
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

int32_t try_call(struct trial_tools *t, const struct trial *row)
{
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

uint32_t needs_of(const struct policy *p)
{
    const uint8_t *modes = p->modes;
    uint32_t needs = p->keeps_tmp ? 0 : CLEARING;
    if (policy_judges_outbound(p))
        needs |= NETWORK;
    if (modes[READ_WRITE_TMP] != MODE_ALLOW || modes[READ_HANDLER] != MODE_ALLOW)
        needs |= FILES;
    if (modes[CREATE_CHILD_PROCESS] != MODE_ALLOW)
        needs |= PROGRAMS;
    if (modes[EXECUTABLE_MEMORY] < MODE_ALLOW || (needs && modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME) ||
        !p->loads_bridges)
        needs |= MEMORY;
    /* A policy that is not allow holds for started programs too. */
    return needs ? needs | ANYTHING | ALERTS | PROGRAMS : 0;
}

static const char *name_errno(int32_t error)
{
    return error == EPERM ? "EPERM" : error == EACCES ? "EACCES" : error == ENOSYS ? "ENOSYS" : NULL;
}

void put_missing(struct writer *w, const struct trial *row, int32_t result, uint32_t needs)
{
    put_words(w, row->name);
    if (result == ENDS_PROCESS) {
        put_words(w, " ends the process that calls it");
    } else {
        put_words(w, name_errno(result) ? " is refused (" : " fails (errno ");
        if (name_errno(result))
            put_words(w, name_errno(result));
        else
            put_number(w, (uint64_t)result);
        put_char(w, ')');
    }
    put_words(w, ", and ");
    uint32_t i = 0;
    while (!(purposes[i].need & row->need & needs))
        i++;
    put_words(w, purposes[i].text);
    put_words(w, " it");
    if (result == ENDS_PROCESS || name_errno(result))
        put_words(w, ": let the sandbox's filter (seccomp) allow it, or set on_failure to run_unshielded");
}

bool has_needed_calls(const struct policy *p, struct writer *error)
{
    struct trial_tools tools;
    uint32_t needs = needs_of(p), i = 0;
    int32_t result = 0;
    if (!needs || !trial_begin(&tools)) /* arming will meet the same limit, and report it */
        return true;
    for (; i < NEEDED_CALLS && !result; i++)
        if (needed_calls[i].need & needs)
            result = try_call(&tools, &needed_calls[i]);
    trial_end(&tools);
    if (result)
        put_missing(error, &needed_calls[i - 1], result, needs);
    return !result;
}
