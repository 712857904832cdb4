/* The exported function for code (docs/guide/migrating-from-functionshield.md): arms this process, or tightens its policy.
 * Tests: tests/integration/from_code/test_python.py. */
#include "../../core/setting_table.h"
#include "../../core/tighten.h"
#include "../state/process_state.h"
#include "../state/sealed_pages.h"
#include "../state/syscall_policy.h"
#include "../report/alerts.h"
#include "../report/left_out.h"
#include "../fds/fd_list.h"
#include "../fds/own_fds.h"
#include "../fds/fd_marks.h"
#include "../files/tmp_clear.h"
#include "../memory/mmap_exec.h"
#include "../process/kernel_limits.h"
#include "../trials/needed_calls.h"
#include "arm.h"
#include "file_facts.h"
#include "process_facts.h"

enum { LINES_MAX = 1 << 16 };

/* Too large for a stack. */
struct request {
    struct policy wanted;
    char scratch[TIGHTEN_SCRATCH];
};

/* A failure after the first patch ends the process: a patch cannot be undone, and no process runs half shielded. */
static bool arm_late(const struct policy *wanted, struct writer *error)
{
    struct start start = {.from_code = wanted, .inherited_log = -1, .error = error};
    struct armed_objects objects = {0};
    if (arm(&start, &objects)) {
        report_armed(&objects, start.began);
        return true;
    }
    bool runs = wanted->on_failure == ON_FAILURE_RUN_UNSHIELDED && objects.patched == 0;
    if (runs)
        policy_explain_on_failure(wanted, error);
    report_failure(runs, error);
    if (objects.patched)
        KERNEL(exit_group, REFUSED);
    drop_references();
    if (sealed->process.log > 2)
        own_fd_close(sealed->process.log);
    return runs;
}

/* Derives the remaining state that depends on the modes. */
static bool derive_rest(struct sealed *next, struct policy *wanted, struct writer *error)
{
    const uint8_t *now = sealed->policy.modes, *then = next->policy.modes;
    if (has_unguarded_text() && then[SELF_PROTECTION] < now[SELF_PROTECTION])
        return fail(error,
                    "a library was loaded that makes system calls which cannot be guarded; configure before "
                    "it is loaded, or leave it out");
    if (!next->files.tmp.ino && then[READ_WRITE_TMP] != MODE_ALLOW)
        return fail(error, "read_write_tmp: there was no directory /tmp at the start");
    if (!next->files.tmp.ino && !next->policy.keeps_tmp)
        return fail(error, "clear_tmp: there was no directory /tmp at the start");
    if (!reports_anything(&sealed->policy) && reports_anything(&next->policy)) {
        if (has_io_uring())
            return fail(error, HAS_RING);
        open_log(&next->process, &next->policy, -1);
    }
    /* The calls that the present modes need were tried at the start. */
    bool is_stricter = !same_bytes(now, then, sizeof next->policy.modes) ||
                       next->policy.keeps_tmp != sealed->policy.keeps_tmp ||
                       next->policy.loads_bridges != sealed->policy.loads_bridges;
    return (!is_stricter || has_needed_calls(&next->policy, error)) && can_clear_tmp(next, error) &&
           tighten_process(&next->process, &next->policy, wanted, error);
}

static void report_refusal(const struct writer *error)
{
    report_engine(MODE_BLOCK, TEXT("configure"), (struct text){error->at, error->used});
}

/* The table is replaced first, so that no call meets the new policy without its guards. Sockets that were made while no marks
 * were kept are marked last. */
static bool put_in_force(struct sealed *next, struct writer *error)
{
    const uint64_t millisecond[2] = {0, 1000000};
    bool was_open = !policy_judges_outbound(&sealed->policy), kept_tmp = sealed->policy.keeps_tmp;
    bool done = replace_gate_table(next, gate_table[GATE_READY]);
    if (!done)
        pages_drop(next, sizeof *sealed);
    if (!done || !pages_replace(next, &sealed_block, sizeof *sealed, PROT_READ)) {
        fail(error, "a limit leaves no memory for it");
        report_refusal(error);
        return false;
    }
    if (was_open && policy_judges_outbound(&sealed->policy)) {
        KERNEL(nanosleep, millisecond, 0); /* so that a thread in socket(2) returns from it */
        mark_inherited_sockets();
    }
    if (kept_tmp)
        watch_tmp(true, true);
    if (kept_tmp && is_ready()) /* during an invocation */
        clear_tmp();
    forbid_core_dumps(&sealed->policy);
    struct kernel_limits limits;
    watch_next_event(WATCH_FOR_LIMITS);
    report_start(sealed->process.log, &(struct start_line){.event = TEXT("tightened"),
                                                           .kernel = plan_kernel_limits(&limits),
                                                           .level = TEXT("INFO"),
                                                           .apart = true,
                                                           .has_modes = true,
                                                           .tmp_times = times_of_tmp()});
    return true;
}

static bool tighten(struct request *request, struct writer *error)
{
    struct sealed *next = pages_copy(sealed, sizeof *sealed);
    if (!next)
        return fail(error, "out of memory");
    if (!tighten_policy(&next->policy, &request->wanted, request->scratch, error)) {
        pages_drop(next, sizeof *sealed);
        report_refusal(error);
        return false;
    }
    bool succeeds = derive_rest(next, &request->wanted, error);
    int32_t log = next->process.log;
    if (succeeds && !same_bytes(next, sealed, sizeof *sealed))
        succeeds = put_in_force(next, error); /* it frees `next` */
    else
        pages_drop(next, sizeof *sealed);
    if (!succeeds && log > 2 && log != sealed->process.log)
        own_fd_close(log); /* opened for a policy that is not in force */
    return succeeds;
}

/* Refused to a vfork child, which has its parent's memory, but other descriptors and another pid. */
static bool configure(struct request *request, struct writer *error)
{
    uint64_t signals;
    if (!sealed->process.own) /* arming failed at the start, with a line */
        return request->wanted.on_failure == ON_FAILURE_RUN_UNSHIELDED ||
               fail(error, "this process could not be shielded when it started; a line of its log says why");
    if (record_owner())
        clear_left_out_reasons();
    if (!is_owner_process())
        return fail(error,
                    "a child that shares its parent's memory cannot configure it; call it in the parent");
    if (!take_lock(SEAL, &signals))
        return fail(error, "another thread is configuring; call it once, while the function is loaded");
    bool succeeds = sealed->process.armed ? tighten(request, error) : arm_late(&request->wanted, error);
    give_lock(SEAL, &signals);
    return succeeds;
}

/* `lines`: the policy's fields as SHIELD_NAME=value lines. 0: the policy is in force. 1: nothing has changed, and `reason`, of
 * `cap` bytes, at least one, has the field and the fix, and ends in a NUL.
 *
 * Any caller can arm a process that is not armed, and make the modes stricter in an armed one.
 */
__attribute__((visibility("default"))) int32_t shield_configure(const char *lines, uint64_t len, char *reason,
                                                                uint64_t cap);

int32_t shield_configure(const char *lines, uint64_t len, char *reason, uint64_t cap)
{
    struct writer error = {reason, 0, (uint32_t)cap - 1, false};
    struct request *request = new_memory(sizeof *request);
    bool succeeds = false;
    if (!request)
        fail(&error, "out of memory");
    else if (len > LINES_MAX)
        fail(&error,
             "the policy is longer than 65536 bytes; shorten the lists with *.domain, networks or globs");
    else
        succeeds = policy_from_code(&request->wanted, (struct text){lines, (uint32_t)len}, &error) &&
                   configure(request, &error);
    if (request)
        KERNEL(munmap, request, sizeof *request);
    reason[error.used] = 0;
    return !succeeds;
}
