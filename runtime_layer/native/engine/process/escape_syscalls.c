/* Calls with which a program could leave the shield altogether, and those that make threads and processes. */
#include <linux/prctl.h>
#include <linux/sched.h>

#include "../base/handlers.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../base/user_memory.h"
#include "../state/fd_pins.h"
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

/* A process with these descriptors, but without this memory, could lay others over those that the gate holds. */
static bool shares_descriptors_only(uint64_t flags)
{
    return flags & CLONE_FILES && !(flags & CLONE_THREAD);
}

/* Another process with this memory, as vfork(2) makes one. */
static bool makes_kin(uint64_t flags, int64_t nr)
{
#ifdef __NR_vfork
    if (nr == __NR_vfork)
        return true;
#endif
    (void)nr;
    return flags & CLONE_VM && !(flags & CLONE_THREAD);
}

/* What the gate holds is held against the threads of the process that the memory belongs to. Another that shares it has
 * descriptors of its own; with threads of its own, one could replace what the other is being judged by. */
static bool makes_thread_elsewhere(uint64_t flags)
{
    return flags & CLONE_THREAD && !owns_memory();
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
static void expect_company(void)
{
    memory_stays(NULL);
    note_company();
}

/* clone3's flags lie in the program's memory, where they could be others by the time the kernel looks. Where that
 * matters, it is a call that this kernel does not have: libraries then use clone. */
enum outcome judge_clone(struct call *call)
{
    uint64_t flags = call->nr == __NR_clone ? call->arg[0] : 0;
    marks_are_hints();
    /* A copy would return to the midst of the call, where nothing of what it claims is claimed (fork(2): EAGAIN). */
    if (!(flags & CLONE_THREAD) && has_claims())
        return answer(call, -EAGAIN);
    if (call->nr == __NR_clone3) {
        if (sealed.policy.modes[SELF_PROTECTION] != MODE_ALLOW)
            return answer(call, -ENOSYS);
        expect_company(); /* the flags may be others by the time the kernel looks */
        note_kin();
        if (!read_user(&flags, call->arg[0], sizeof flags))
            return RUN_IN_PLACE;
    }
    if (flags & CLONE_VM && (!(flags & CLONE_VFORK) || flags & CLONE_THREAD))
        expect_company();
    if (makes_kin(flags, call->nr)) {
        /* A parent that waits is woken when its child is killed, while that one's own child goes on. Who makes this one
         * cannot be told: a handler may have a child go on with what is judged here. */
        if (had_kin())
            expect_company();
        note_kin();
    }
    if (flags & CLONE_THREAD && !(flags & CLONE_FILES))
        watch_for_good();
    bool is_escape =
        shares_descriptors_only(flags) || makes_thread_elsewhere(flags) || makes_namespace(flags);
    return is_escape ? judge_escape(call) : RUN_IN_PLACE;
}

/* A vfork child's alerts are its parent's. */
enum outcome judge_end(struct call *call)
{
    (void)call;
    if (owns_memory())
        report_folded(AT_END);
    return RUN_IN_PLACE;
}
