/* Judges calls with which a program could escape the shield, and calls that make threads and processes.
 * Tests: tests/security/cases/test_safety.py. */
#include <linux/prctl.h>
#include <linux/sched.h>

#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../report/alerts.h"
#include "../fds/fd_marks.h"
#include "kernel_limits.h"

enum outcome judge_escape(struct call *call)
{
    return self_protection_refused(call, TEXT("")) ? answer(call, -EPERM) : RUN_IN_PLACE;
}

/* Calls through a ring of io_uring bypass the gate. Libraries try to make one (libuv at each start of Node.js) and work without
 * it, so this is no violation: it fails as in a kernel without the call. In alert mode too, as its reports must name everything
 * that block mode would stop. */
enum outcome judge_ring(struct call *call)
{
    return answer(call, -ENOSYS);
}

/* Whether an option of prctl(2) lets a program bypass the gate: a filter, a dispatcher in front of the gate, another layout of
 * memory. */
static bool is_escape_option(int32_t option)
{
    return option == PR_SET_SECCOMP || option == PR_SET_SYSCALL_USER_DISPATCH || option == PR_SET_MM;
}

enum outcome judge_prctl(struct call *call)
{
    return is_escape_option((int32_t)call->arg[0]) ? judge_escape(call) : RUN_IN_PLACE;
}

/* Whether the call makes another process with this memory, as vfork(2) does. */
static bool shares_memory(uint64_t flags, int64_t nr)
{
#ifdef __NR_vfork
    if (nr == __NR_vfork)
        return true;
#endif
    (void)nr;
    return flags & CLONE_VM && !(flags & CLONE_THREAD);
}

/* Whether the call separates memory and descriptors (clone(2): CLONE_FILES, CLONE_VM). The engine's marks are for one table of
 * descriptors, which all threads of one memory must share. The exception is a vfork child, whose parent waits until it starts a
 * program or ends; it makes no child and no thread. */
static bool separates_memory_and_descriptors(uint64_t flags, bool is_vfork)
{
    bool is_thread = flags & CLONE_THREAD;
    if (is_thread || is_vfork)
        return !is_memory_owner() || (is_thread && !(flags & CLONE_FILES)) ||
               (!is_thread && flags & CLONE_FILES);
    return flags & (CLONE_VM | CLONE_FILES);
}

/* Whether the flags make a namespace (unshare(2)). CLONE_NEWTIME is for clone3 only: clone has the exit signal in those bits.
 */
static bool makes_namespace(uint64_t flags)
{
    return flags & (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                    CLONE_NEWPID | CLONE_NEWNET);
}

/* A process could lower a child's limits during its start, so that its loader drops the library, and raise them again.
 * Libraries ask for the main stack's limit, and get the one from before the engine's. */
enum outcome judge_limit(struct call *call)
{
    const uint64_t *arg = call->arg;
    bool is_old = call->nr == __NR_getrlimit;
    int32_t process = is_old ? 0 : (int32_t)arg[0];
    bool is_own = !process || process == (int32_t)KERNEL(getpid);
    if (!is_old && arg[2])
        return is_own ? RUN_IN_PLACE : judge_escape(call);
    const struct resource_limit *former = is_own ? former_limit((uint32_t)arg[is_old ? 0 : 1]) : NULL;
    uint64_t to = arg[is_old ? 1 : 3];
    if (!former || !to)
        return RUN_IN_PLACE;
    return answer(call, write_user(to, former, sizeof *former) ? 0 : -EFAULT);
}

/* Drops the pages trusted while there was one thread, also those of a call that ended by longjmp. */
static void prepare_for_threads(void)
{
    trust_pages(NULL);
    record_threads();
}

/* clone3's flags lie in the program's memory, and can change before the kernel reads them. Where that matters, the call fails
 * with ENOSYS: libraries then use clone. */
enum outcome judge_clone(struct call *call)
{
    uint64_t flags = call->nr == __NR_clone ? call->arg[0] : 0;
    set_marks_inexact();
    if (call->nr == __NR_clone3) {
        if (sealed->policy.modes[SELF_PROTECTION] != MODE_ALLOW)
            return answer(call, -ENOSYS);
        prepare_for_threads(); /* the flags can change before the kernel reads them */
        record_vfork();
        if (!read_user(&flags, call->arg[0], sizeof flags))
            return RUN_IN_PLACE;
    }
    bool is_shared = shares_memory(flags, call->nr);
    bool is_vfork = is_shared && (call->nr != __NR_clone || flags & CLONE_VFORK);
    if (flags & CLONE_THREAD || (is_shared && !is_vfork))
        prepare_for_threads();
    if (is_shared)
        record_vfork();
    bool is_escape = separates_memory_and_descriptors(flags, is_vfork) || makes_namespace(flags);
    return is_escape ? judge_escape(call) : RUN_IN_PLACE;
}
