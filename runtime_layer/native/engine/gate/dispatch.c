#include "dispatch.h"

#include <linux/prctl.h>
#include <linux/sched.h>

#include "../fds/fd_pins.h"
#include "handlers.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "../report/alerts.h"
#include "../state/sealed_state.h"
#include "../base/user_memory.h"
#include "../fds/fd_marks.h"

/* What makes a call worth looking at. A row is guarded when one of its reasons holds for the policy. */
enum reason_to_guard {
    FOR_OUTBOUND = 1,
    FOR_FILES = 2, /* read_write_tmp or read_handler */
    FOR_PATHS = 4, /* the same, for calls that change names */
    ALWAYS =
        8, /* whatever the policy: what a stricter one needs to have seen, and programs that are started */
    FOR_SAFETY = 16,  /* any policy that blocks or alerts: the engine itself */
    UNTIL_READY = 32, /* read_handler, and a wrapper: only until the first request for an invocation */
    FOR_COPIES = 64,  /* create_child_process: what a forked copy may not do either */
    FOR_STREAMS = 128 /* outbound_connectivity: reads and writes of descriptors, which any copy may do */
};
enum { NOT_FOR_COPIES = FOR_OUTBOUND | FOR_FILES | FOR_PATHS };

/* The judges, by number: a pointer in each row would cost the library 32 bytes, most of them for the loader. */
#define JUDGES(X)                                                                                            \
    X(judge_open)                                                                                            \
    X(judge_path)                                                                                            \
    X(judge_socket)                                                                                          \
    X(judge_connect)                                                                                         \
    X(judge_socket_option)                                                                                   \
    X(judge_listen)                                                                                          \
    X(judge_peer_name)                                                                                       \
    X(judge_bind)                                                                                            \
    X(judge_send)                                                                                            \
    X(judge_receive)                                                                                         \
    X(judge_write)                                                                                           \
    X(judge_unread)                                                                                          \
    X(judge_asynchronous)                                                                                    \
    X(judge_copy)                                                                                            \
    X(judge_exec)                                                                                            \
    X(judge_map)                                                                                             \
    X(judge_protect)                                                                                         \
    X(judge_unmap)                                                                                           \
    X(judge_attach)                                                                                          \
    X(judge_personality)                                                                                     \
    X(judge_descriptor)                                                                                      \
    X(judge_escape)                                                                                          \
    X(judge_ring)                                                                                            \
    X(judge_prctl)                                                                                           \
    X(judge_clone)                                                                                           \
    X(judge_end)                                                                                             \
    X(judge_limit)
#define NUMBER(judge) number_of_##judge,
#define POINTER(judge) judge,
enum { JUDGES(NUMBER) JUDGE_COUNT };
static enum outcome (*const judges[JUDGE_COUNT])(struct call *call) = {JUDGES(POINTER)};

struct row {
    int16_t nr;
    uint8_t reasons;
    uint8_t judge;
};

#define HARMLESS(name, why)
#define JUDGED(name, reasons, judge) {__NR_##name, reasons, number_of_##judge},
static const struct row rows[] = {
#include "syscall_table.h"
};
#define HARMLESS(name, why)
/* Their names, one behind the other. */
#define JUDGED(name, reasons, judge) #name "\0"
static const char names[] =
#include "syscall_table.h"
    ;

enum { ROWS = sizeof rows / sizeof *rows };

/* By number, beside the rest that the gate reads; no reasons: not in the table. Filled once, then sealed. */
struct judged {
    uint8_t reasons, judge;
};
static struct judged *const judged = (struct judged *)&gate_table[GATE_JUDGED];
_Static_assert(GATE_JUDGED + GATE_TABLE * sizeof(struct judged) <= sizeof gate_table, "one page");

static uint8_t reasons_of(const struct sealed *s)
{
    static const uint8_t of_policy[] = {
        [OUTBOUND_CONNECTIVITY] = FOR_OUTBOUND | FOR_STREAMS | FOR_SAFETY,
        [READ_WRITE_TMP] = FOR_FILES | FOR_PATHS | FOR_SAFETY,
        [CREATE_CHILD_PROCESS] = FOR_COPIES | FOR_SAFETY,
        [READ_HANDLER] = FOR_FILES | FOR_PATHS | FOR_SAFETY,
        [EXECUTABLE_MEMORY] = FOR_SAFETY,
    };
    uint8_t reasons = ALWAYS;
    for (uint32_t id = 0; id < SELF_PROTECTION; id++)
        if (s->policy.modes[id] != MODE_ALLOW)
            reasons |= of_policy[id];
    return reasons;
}

bool reports_anything(const struct sealed *s)
{
    return reasons_of(s) & FOR_SAFETY;
}

/* Calls that need no look in most cases, and what tells: by the gate's assembly, before anything is saved. Those that
 * may carry the first request for an invocation are looked at more closely until it has come. */
static const struct {
    int16_t nr;
    uint8_t guard, until_ready;
} seldom[] = {
    {__NR_fstat, GUARD_LOG, GUARD_LOG},
    {__NR_newfstatat, GUARD_LOG, GUARD_LOG},
    {__NR_write, GUARD_WATCHED, GUARD_LONG},
    {__NR_writev, GUARD_WATCHED, GUARD_ALWAYS},
    {__NR_sendto, GUARD_ADDRESSED, GUARD_ALWAYS},
    {__NR_read, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_readv, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_recvfrom, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_recvmsg, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_recvmmsg, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_getpeername, GUARD_ANSWERS, GUARD_ANSWERS},
    {__NR_pwritev2, GUARD_WATCHED, GUARD_WATCHED},
    {__NR_sendfile, GUARD_WATCHED, GUARD_WATCHED},
    {__NR_mmap, GUARD_MAPPED, GUARD_MAPPED},
    {__NR_mprotect, GUARD_HIGH, GUARD_HIGH},
};

/* May a call carry the request for an event? By the time of the second, it is looked at when alerts were left out. */
static uint8_t guard_of_events(uint8_t own, uint8_t reasons)
{
    return own & UNTIL_READY && reasons & FOR_SAFETY ? GUARD_LEFT_OUT : GUARD_NONE;
}

static uint8_t guard_of(uint32_t nr, uint8_t reasons, const struct sealed *s)
{
    if (nr > NEWEST_CALL)
        return reasons & FOR_SAFETY ? GUARD_ALWAYS : GUARD_NONE;
    uint8_t own = judged[nr].reasons;
    bool copies = reasons & FOR_COPIES && own & NOT_FOR_COPIES;
    if (!(own & reasons) && !copies)
        return guard_of_events(own, reasons);
    uint8_t guard = GUARD_ALWAYS;
    for (uint32_t i = 0; i < sizeof seldom / sizeof *seldom; i++)
        if (seldom[i].nr == (int32_t)nr)
            guard = own & reasons & UNTIL_READY ? seldom[i].until_ready : seldom[i].guard;
    return guard == GUARD_HIGH && !leaves_memory_free(s) ? GUARD_ALWAYS : guard;
}

void list_guarded_calls(void)
{
    for (uint32_t i = 0; i < ROWS; i++)
        judged[rows[i].nr] = (struct judged){rows[i].reasons, rows[i].judge};
}

void guard_calls(uint8_t *table, const struct sealed *s)
{
    uint8_t reasons = reasons_of(s);
    if (!table[GATE_READY])
        reasons |= UNTIL_READY;
    for (uint32_t nr = 0; nr < GATE_TABLE; nr++)
        table[nr] = guard_of(nr, reasons, s);
    copy_bytes(&table[GATE_LOG], &s->log, sizeof s->log);
    table[GATE_REASONS] = reasons;
}

bool guards_are(const uint8_t *table, const struct sealed *s, bool ready)
{
    uint8_t reasons = reasons_of(s);
    if (!ready)
        reasons |= UNTIL_READY;
    bool well = table[GATE_READY] == ready && table[GATE_REASONS] == reasons &&
                same_bytes(&table[GATE_LOG], &s->log, sizeof s->log);
    well &= same_bytes(&table[GATE_JUDGED], judged, GATE_TABLE * sizeof *judged);
    for (uint32_t nr = 0; nr < GATE_TABLE; nr++)
        well &= table[nr] == guard_of(nr, reasons, s);
    return well;
}

struct text syscall_name(int64_t nr)
{
    const char *name = names;
    for (uint32_t i = 0; i < ROWS && rows[i].nr != nr; i++)
        name += text_of(name).len + 1;
    return text_of(name); /* behind the last: an empty one */
}

bool may_be_guarded(int64_t nr)
{
    return nr < 0 || nr > NEWEST_CALL || judged[nr].reasons;
}

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
    enum { PRCTL_SYSCALL_USER_DISPATCH = 59 };
    return option == PR_SET_SECCOMP || option == PRCTL_SYSCALL_USER_DISPATCH || option == PR_SET_MM;
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

/* A call that was not thought of: the program sees a kernel that does not have it, as every older one; also where
 * violations are only reported, as what it does would not be seen. */
static enum outcome judge_newer(struct call *call)
{
    return sealed.policy.modes[SELF_PROTECTION] == MODE_ALLOW ? RUN_IN_PLACE : answer(call, -ENOSYS);
}

/* The gate's assembly calls this for guarded and for unknown numbers. */
enum outcome gate_judge(struct call *call) __attribute__((visibility("hidden")));

enum outcome gate_judge(struct call *call)
{
    /* The kernel takes the low 32 bits of the register for the number; x32 reaches every call by another name. No
     * program makes such calls but to be somewhere else than it looks. */
    if (call->nr < 0 || call->nr >= 0x40000000)
        return judge_escape(call);
    if (call->nr > NEWEST_CALL)
        return judge_newer(call);
    const struct judged by = judged[call->nr];
    if (!by.reasons)
        return RUN_IN_PLACE;
    note_owner();
    uint8_t left_out = what_is_left_out();
    if (left_out)
        report_folded(AT_ANY_CALL);
    if (by.reasons & NOT_FOR_COPIES && is_forked_copy() && forked_copy_ends(call))
        return ANSWERED;
    if (!(by.reasons & gate_table[GATE_REASONS]) && !(by.reasons & UNTIL_READY && left_out))
        return RUN_IN_PLACE;
    if (!is_alone())
        return judges[by.judge](call);
    memory_stays(is_alone() ? call : NULL); /* a handler may have come in between */
    enum outcome outcome = judges[by.judge](call);
    memory_stays(NULL);
    return outcome;
}
