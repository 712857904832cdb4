/* Calls with which a program could leave the shield altogether, and those that make threads and processes. */
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

enum outcome judge_escape(struct call *call)
{
    return self_protection_refused(call, TEXT("")) ? answer(call, -EPERM) : RUN_IN_PLACE;
}

/* What goes through a ring is not seen here. Libraries ask for one on the off chance (libuv, whenever Node.js starts) and
 * do without, so this is no violation: it is a call that this kernel does not have, also where violations are only
 * reported, because reports have to tell what a block would stop. */
enum outcome judge_ring(struct call *call)
{
    return answer(call, -ENOSYS);
}

/* The rest of prctl(2) is no way out: a filter, a dispatcher in front of the gate, another layout of memory. */
static bool is_way_out(int32_t option)
{
    return option == PR_SET_SECCOMP || option == PR_SET_SYSCALL_USER_DISPATCH || option == PR_SET_MM;
}

enum outcome judge_prctl(struct call *call)
{
    return is_way_out((int32_t)call->arg[0]) ? judge_escape(call) : RUN_IN_PLACE;
}

/* Another process with this memory, as vfork(2) makes one. */
static bool shares_memory(uint64_t flags, int64_t nr)
{
#ifdef __NR_vfork
    if (nr == __NR_vfork)
        return true;
#endif
    (void)nr;
    return flags & CLONE_VM && !(flags & CLONE_THREAD);
}

/* What the engine knows of descriptors it knows of one table of them, which all threads share, and whose memory this is. The
 * one exception is a vfork child, whose parent waits until it starts a program or ends; it makes no other and no thread. */
static bool parts_memory_and_descriptors(uint64_t flags, bool is_vfork)
{
    bool is_thread = flags & CLONE_THREAD;
    if (is_thread || is_vfork)
        return !is_memory_owner() || (is_thread && !(flags & CLONE_FILES)) ||
               (!is_thread && flags & CLONE_FILES);
    return flags & (CLONE_VM | CLONE_FILES);
}

/* As unshare(2) would. That of time is clone3's alone: clone has a signal in that place. */
static bool makes_namespace(uint64_t flags)
{
    return flags & (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                    CLONE_NEWPID | CLONE_NEWNET);
}

/* A child whose limits are taken away while it is started loads without our library, and could get them back. */
enum outcome judge_limit(struct call *call)
{
    int32_t process = (int32_t)call->arg[0];
    bool sets_anothers = call->arg[2] && process && process != (int32_t)KERNEL(getpid);
    return sets_anothers ? judge_escape(call) : RUN_IN_PLACE;
}

/* What was remembered while nobody else was there is forgotten first, also when a call was left by longjmp. */
static void expect_threads(void)
{
    memory_stays(NULL);
    record_threads();
}

/* clone3's flags lie in the program's memory, where they could be others by the time the kernel looks. Where that
 * matters, it is a call that this kernel does not have: libraries then use clone. */
enum outcome judge_clone(struct call *call)
{
    uint64_t flags = call->nr == __NR_clone ? call->arg[0] : 0;
    set_marks_inexact();
    if (call->nr == __NR_clone3) {
        if (sealed->policy.modes[SELF_PROTECTION] != MODE_ALLOW)
            return answer(call, -ENOSYS);
        expect_threads(); /* the flags may be others by the time the kernel looks */
        record_vfork();
        if (!read_user(&flags, call->arg[0], sizeof flags))
            return RUN_IN_PLACE;
    }
    bool is_shared = shares_memory(flags, call->nr);
    bool is_vfork = is_shared && (call->nr != __NR_clone || flags & CLONE_VFORK);
    if (flags & CLONE_THREAD || (is_shared && !is_vfork))
        expect_threads();
    if (is_shared)
        record_vfork();
    bool is_escape = parts_memory_and_descriptors(flags, is_vfork) || makes_namespace(flags);
    return is_escape ? judge_escape(call) : RUN_IN_PLACE;
}
