/* The kernel gives a number back first, and then the close may go on for seconds: the file system of a network writes what it
 * kept back, a TCP socket lingers until its peer has all (socket(7), SO_LINGER). Another thread has the number by then,
 * and would wait for the claim on it (fd_pins.h), which cannot tell. So what was kept back is written first, by another
 * number, as each close does that (close(2)); and a socket lingers when the last of its numbers goes, which is one of the
 * gate's own. */
#include "slow_close.h"

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../state/fd_pins.h"
#include "../state/process_state.h"
#include "fd_dup.h"
#include "fd_marks.h"

/* What a close does before it is over. */
enum manner { IS_QUICK = 1, WRITES, MAY_LINGER };

static enum manner manner_of_files(int32_t file)
{
    static const uint32_t write[] = {0x6969 /* NFS, which EFS is */,
                                     0x65735546 /* FUSE */,
                                     0xff534d42 /* CIFS */,
                                     0xfe534d42 /* SMB 2 */,
                                     0x01021997 /* 9P */,
                                     0x00c36400 /* Ceph */,
                                     0x0bd00bd0 /* Lustre */};
    uint32_t type = filesystem_type(file);
    for (uint32_t i = 0; i < sizeof write / sizeof *write; i++)
        if (write[i] == type)
            return WRITES;
    return IS_QUICK;
}

/* It is asked for once. */
static enum manner manner_of_device(uint64_t device, int32_t file)
{
    static uint64_t asked[16]; /* which device, and its manner */
    uint64_t *there = &asked[device % (sizeof asked / sizeof *asked)];
    uint64_t known = __atomic_load_n(there, __ATOMIC_RELAXED);
    if (known >> 8 == device && known & 0xff)
        return (enum manner)(known & 0xff);
    enum manner manner = manner_of_files(file);
    __atomic_store_n(there, device << 8 | manner, __ATOMIC_RELAXED);
    return manner;
}

static enum manner manner_of(int32_t descriptor)
{
    struct statx st = {0};
    KERNEL(statx, descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st);
    switch (st.stx_mode & S_IFMT) {
    case S_IFSOCK: return MAY_LINGER;
    case S_IFREG: return manner_of_device((uint64_t)st.stx_dev_major << 20 | st.stx_dev_minor, descriptor);
    default: return IS_QUICK;
    }
}

static bool lingers(int32_t descriptor)
{
    int32_t linger[2] = {0, 0}; /* is it on, and for how many seconds (struct linger) */
    uint32_t size = sizeof linger;
    return !is_error(KERNEL(getsockopt, descriptor, SOL_SOCKET, SO_LINGER, linger, &size)) && linger[0] &&
           linger[1];
}

/* Will what the number stands for be closed, as far as one can tell? Else the locks on a file have to stay, which end with any
 * of its numbers (fcntl(2)). */
static bool will_be_closed(const struct call *call)
{
    bool replaces = call->nr != __NR_close && call->arg[0] != call->arg[1];
    return call->nr == __NR_close || (replaces && !is_error(KERNEL(fcntl, call->arg[0], F_GETFD)));
}

struct closing closing_begin(const struct call *call, int32_t descriptor)
{
    struct closing closing = {0, -EBADF};
    enum manner manner = is_alone() ? IS_QUICK : manner_of(descriptor);
    if (manner == WRITES && will_be_closed(call)) {
        int64_t copy = hold(KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, FAR_NUMBER));
        let_go(copy);
        if (!is_error(copy))
            closing.written = KERNEL(close, copy);
    } else if (manner == MAY_LINGER && lingers(descriptor)) {
        closing.own = watch_duplicate(descriptor);
    }
    return closing;
}

void closing_end(const struct closing *closing)
{
    close_held(closing->own);
}
