#include "guarded.h"

#include <linux/prctl.h>

#include "judges.h"
#include "kernel.h"
#include "process.h"
#include "report.h"
#include "state.h"

/* What makes a call worth looking at. A row is guarded when one of its reasons holds for the policy. */
enum reason_to_guard {
    FOR_OUTBOUND = 1,
    FOR_FILES = 2,    /* read_write_tmp or read_handler */
    FOR_PATHS = 4,    /* the same, for calls that change names */
    FOR_PROGRAMS = 8, /* always */
    FOR_SAFETY = 16,  /* any policy that blocks or alerts: the engine itself */
    UNTIL_READY = 32  /* read_handler: only until the first request for an invocation */
};

struct row {
    int16_t nr;
    uint8_t reasons;
    enum outcome (*judge)(struct call *call);
    const char *name;
};

#define ROW(name, reasons, judge) {__NR_##name, reasons, judge, #name}

static const struct row rows[] = {
#ifdef __NR_open
    ROW(open, FOR_FILES | FOR_SAFETY, judge_open),
    ROW(creat, FOR_FILES | FOR_SAFETY, judge_open),
#endif
    ROW(openat, FOR_FILES | FOR_SAFETY, judge_open),
    ROW(openat2, FOR_FILES | FOR_SAFETY, judge_open),

#ifdef __NR_mkdir
    ROW(mkdir, FOR_PATHS, judge_path),
    ROW(mknod, FOR_PATHS, judge_path),
    ROW(rmdir, FOR_PATHS, judge_path),
    ROW(unlink, FOR_PATHS, judge_path),
    ROW(rename, FOR_PATHS, judge_path),
    ROW(link, FOR_PATHS, judge_path),
    ROW(symlink, FOR_PATHS, judge_path),
    ROW(chmod, FOR_PATHS, judge_path),
    ROW(chown, FOR_PATHS, judge_path),
    ROW(lchown, FOR_PATHS, judge_path),
    ROW(utime, FOR_PATHS, judge_path),
    ROW(utimes, FOR_PATHS, judge_path),
    ROW(futimesat, FOR_PATHS, judge_path),
#endif
#ifdef __NR_renameat
    ROW(renameat, FOR_PATHS, judge_path),
#endif
    ROW(mkdirat, FOR_PATHS, judge_path),
    ROW(mknodat, FOR_PATHS, judge_path),
    ROW(unlinkat, FOR_PATHS, judge_path),
    ROW(renameat2, FOR_PATHS, judge_path),
    ROW(linkat, FOR_PATHS, judge_path),
    ROW(symlinkat, FOR_PATHS, judge_path),
    ROW(truncate, FOR_PATHS, judge_path),
    ROW(fchmodat, FOR_PATHS, judge_path),
    ROW(fchmodat2, FOR_PATHS, judge_path),
    ROW(fchownat, FOR_PATHS, judge_path),
    ROW(utimensat, FOR_PATHS, judge_path),
    ROW(setxattr, FOR_PATHS, judge_path),
    ROW(lsetxattr, FOR_PATHS, judge_path),
    ROW(removexattr, FOR_PATHS, judge_path),
    ROW(lremovexattr, FOR_PATHS, judge_path),
    ROW(setxattrat, FOR_PATHS, judge_path),
    ROW(removexattrat, FOR_PATHS, judge_path),
    ROW(file_setattr, FOR_PATHS, judge_path),

    ROW(socket, FOR_OUTBOUND, judge_socket),
    ROW(connect, FOR_OUTBOUND, judge_connect),
    ROW(getpeername, FOR_OUTBOUND, judge_peer_name),
    ROW(bind, FOR_PATHS, judge_bind),
    ROW(sendto, FOR_OUTBOUND | UNTIL_READY, judge_send),
    ROW(sendmsg, FOR_OUTBOUND | UNTIL_READY, judge_send),
    ROW(sendmmsg, FOR_OUTBOUND, judge_send),
    ROW(recvfrom, FOR_OUTBOUND, judge_receive),
    ROW(recvmsg, FOR_OUTBOUND, judge_receive),
    ROW(recvmmsg, FOR_OUTBOUND, judge_receive),
    ROW(write, UNTIL_READY, judge_write),
    ROW(writev, UNTIL_READY, judge_write),

    ROW(execve, FOR_PROGRAMS | FOR_SAFETY, judge_exec),
    ROW(execveat, FOR_PROGRAMS | FOR_SAFETY, judge_exec),

    ROW(mmap, FOR_SAFETY, judge_map),
    ROW(mprotect, FOR_SAFETY, judge_protect),
    ROW(pkey_mprotect, FOR_SAFETY, judge_protect),
    ROW(munmap, FOR_SAFETY, judge_unmap),
    ROW(mremap, FOR_SAFETY, judge_unmap),
    ROW(madvise, FOR_SAFETY, judge_unmap),

    ROW(close, FOR_SAFETY, judge_descriptor),
    ROW(close_range, FOR_SAFETY, judge_descriptor),
    ROW(dup3, FOR_SAFETY, judge_descriptor),
    ROW(fcntl, FOR_SAFETY, judge_descriptor),
#ifdef __NR_dup2
    ROW(dup2, FOR_SAFETY, judge_descriptor),
#endif

    ROW(mseal, FOR_SAFETY, judge_unmap),
    ROW(shmat, FOR_SAFETY, judge_attach),
    ROW(personality, FOR_SAFETY, judge_personality),
    ROW(setsockopt, FOR_OUTBOUND, judge_socket_option),

    ROW(prctl, FOR_SAFETY, judge_prctl),
    ROW(seccomp, FOR_SAFETY, judge_escape),
    ROW(ptrace, FOR_SAFETY, judge_escape),
    ROW(process_vm_writev, FOR_SAFETY, judge_escape),
    ROW(process_madvise, FOR_SAFETY, judge_escape),
    ROW(remap_file_pages, FOR_SAFETY, judge_escape),
    ROW(userfaultfd, FOR_SAFETY, judge_escape),
    ROW(bpf, FOR_SAFETY, judge_escape),
    ROW(io_uring_setup, FOR_SAFETY, judge_escape),
    ROW(io_uring_enter, FOR_SAFETY, judge_escape),
    ROW(io_uring_register, FOR_SAFETY, judge_escape),
    ROW(open_by_handle_at, FOR_SAFETY, judge_escape),
    ROW(mount, FOR_SAFETY, judge_escape),
    ROW(umount2, FOR_SAFETY, judge_escape),
    ROW(move_mount, FOR_SAFETY, judge_escape),
    ROW(open_tree, FOR_SAFETY, judge_escape),
    ROW(fsopen, FOR_SAFETY, judge_escape),
    ROW(fsmount, FOR_SAFETY, judge_escape),
    ROW(fspick, FOR_SAFETY, judge_escape),
    ROW(mount_setattr, FOR_SAFETY, judge_escape),
    ROW(open_tree_attr, FOR_SAFETY, judge_escape),
    ROW(pidfd_getfd, FOR_SAFETY, judge_escape),
    ROW(pivot_root, FOR_SAFETY, judge_escape),
    ROW(chroot, FOR_SAFETY, judge_escape),
    ROW(unshare, FOR_SAFETY, judge_escape),
    ROW(setns, FOR_SAFETY, judge_escape),
};

enum { ROWS = sizeof rows / sizeof *rows };

/* From a number to its row + 1; 0: not in the table. Filled once, then only read. */
static uint8_t row_of[GATE_TABLE];

static bool enforced(enum policy_id id)
{
    return sealed.policy.modes[id] != MODE_ALLOW;
}

uint8_t reasons_of_policy(void)
{
    uint8_t reasons = 0;
    bool any = enforced(CREATE_CHILD_PROCESS) || enforced(EXECUTABLE_MEMORY);
    if (enforced(OUTBOUND_CONNECTIVITY))
        reasons |= FOR_OUTBOUND;
    if (enforced(READ_WRITE_TMP) || enforced(READ_HANDLER))
        reasons |= FOR_FILES | FOR_PATHS;
    if (enforced(READ_HANDLER) && !sealed.starts_ready)
        reasons |= UNTIL_READY;
    if (reasons || any)
        reasons |= FOR_SAFETY;
    /* Whatever the policy: a child has to know that it is one, and where alerts go. */
    return reasons | FOR_PROGRAMS;
}

bool reports_anything(void)
{
    return reasons_of_policy() != FOR_PROGRAMS;
}

static uint8_t guard_of(const struct row *row, uint8_t reasons)
{
    if (!(row->reasons & reasons))
        return GUARD_NONE;
    return row->nr == __NR_close ? GUARD_CLOSE : row->nr == __NR_write ? GUARD_LONG : GUARD_ALWAYS;
}

static void fill_table(uint8_t reasons)
{
    for (uint32_t i = 0; i < ROWS; i++)
        gate_table[rows[i].nr] = guard_of(&rows[i], reasons);
}

void guard_calls(void)
{
    for (uint32_t i = 0; i < ROWS; i++)
        row_of[rows[i].nr] = (uint8_t)(i + 1);
    fill_table(reasons_of_policy());
    const uint32_t *held = held_now();
    __builtin_memcpy(&gate_table[GATE_LOG], &sealed.log, sizeof sealed.log);
    __builtin_memcpy(&gate_table[GATE_HELD], &held, sizeof held);
}

void unguard_start_calls(void)
{
    fill_table(reasons_of_policy() & (uint8_t)~UNTIL_READY);
}

struct text syscall_name(int64_t nr)
{
    uint8_t row = nr >= 0 && nr < GATE_TABLE ? row_of[nr] : 0;
    return text_of(row ? rows[row - 1].name : "");
}

bool is_guarded(int64_t nr)
{
    return nr < 0 || nr >= GATE_TABLE || gate_table[nr];
}

enum outcome judge_escape(struct call *call)
{
    struct facts facts = {0};
    struct verdict verdict = verdict_unlisted(&sealed.policy, SELF_PROTECTION, REASON_SELF_PROTECTION);
    return refuses(call, verdict, &facts) ? answer(call, -EPERM) : RUN_IN_PLACE;
}

/* The rest of prctl(2) is no way out: a filter, a dispatcher in front of the gate, another layout of memory. */
static bool is_way_out(int32_t option)
{
    enum { PRCTL_SYSCALL_USER_DISPATCH = 59 };
    return option == PR_SET_SECCOMP || option == PRCTL_SYSCALL_USER_DISPATCH || option == PR_SET_MM;
}

enum outcome judge_prctl(struct call *call)
{
    return is_way_out((int32_t)call->arg[0]) ? judge_escape(call) : RUN_IN_PLACE;
}

/* The gate's assembly calls this for guarded and for unknown numbers. */
enum outcome gate_judge(struct call *call) __attribute__((visibility("hidden")));

enum outcome gate_judge(struct call *call)
{
    /* The kernel takes the low 32 bits of the register for the number; x32 reaches every call by another name. No
     * program makes such calls but to be somewhere else than it looks. Numbers that no kernel has get ENOSYS. */
    if (call->nr < 0 || call->nr >= 0x40000000)
        return judge_escape(call);
    if (call->nr >= GATE_TABLE)
        return RUN_IN_PLACE;
    if (!row_of[call->nr])
        return RUN_IN_PLACE;
    const struct row *row = &rows[row_of[call->nr] - 1];
    report_folded(false);
    if (row->reasons & (FOR_OUTBOUND | FOR_FILES | FOR_PATHS) && is_forked_copy() &&
        forked_copy_refused(call))
        return answer(call, -EACCES);
    return row->judge(call);
}
