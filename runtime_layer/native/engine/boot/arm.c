/* Arms the shield in this process at its start, or ends the process.
 *
 *   1. settings   the policy is read from the environment
 *   2. facts      the objects that verdicts compare with: /tmp, programs, the shield's own files
 *   3. table      the system calls that must pass the gate
 *   4. patch      libc, the loader, and the function's libraries
 *   5. seal       all of this becomes read-only, and the line `armed` is written
 *
 * The wrapper preloads this library, so the constructor runs before any code of the function. A program that loads it later,
 * without a setting in its environment, gives its policy by configure.c.
 * Tests: tests/integration/engine/test_behaviour.py. */
#include "arm.h"

#include "../../core/native_code.h"
#include "../../core/setting_table.h"
#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../trials/needed_calls.h"
#include "../state/process_state.h"
#include "../state/syscall_policy.h"
#include "../report/alerts.h"
#include "../fds/fd_list.h"
#include "../fds/fd_marks.h"
#include "../files/tmp_clear.h"
#include "../process/kernel_limits.h"
#include "file_facts.h"
#include "process_facts.h"

static uint64_t monotonic_micros(void)
{
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, CLOCK_MONOTONIC, now);
    return now[0] * 1000000 + now[1] / 1000;
}

void forbid_core_dumps(const struct policy *p)
{
    static const uint64_t none[2];
    if (p->modes[READ_WRITE_TMP] == MODE_BLOCK)
        KERNEL(prlimit64, 0, RLIMIT_CORE, none, 0);
}

static bool seal(struct writer *error)
{
    bool succeeds = !is_error(KERNEL(mprotect, &sealed_block, sizeof sealed_block, PROT_READ)) &&
                    !is_error(KERNEL(mprotect, gate_table, sizeof gate_table, PROT_READ));
    return succeeds || fail(error, "cannot seal the policy");
}

/* Clears the facts of an earlier attempt, except the process's own memory, on whose locks other threads may be waiting. The
 * first attempt skips the many pages, which are zero. */
static void clear_sealed(void)
{
    static bool again; /* the constructor, and then configure under `seal` */
    if (!again) {
        again = true;
        return;
    }
    fill_bytes(&sealed_block, 0, offsetof(struct sealed, process.own));
    fill_bytes(&sealed_block.policy, 0, sizeof sealed_block - offsetof(struct sealed, policy));
}

/* Whether the program itself loaded the library; its code or the environment has the policy. */
static bool is_loaded_late(const struct start *start)
{
    return start->from_code || (!start->found.preloaded && start->origin == ORIGIN_NONE);
}

/* Whether the kernel's pages have PAGE bytes: an aarch64 kernel may have pages of 16 or 64 KB. madvise(2) fails with EINVAL for
 * an address that does not begin a page, as the second one of the process's own memory then does not. */
static bool is_page_size_supported(void)
{
    return !is_error(KERNEL(madvise, (uint64_t)sealed->process.own + PAGE, PAGE, MADV_NORMAL));
}

static bool arm_process(struct start *start, struct armed_objects *objects)
{
    clear_sealed();
    bool has_policy = read_environment(start) && read_policy(&sealed_block.policy, start);
    read_origin(&sealed_block.process, start);
    if (!has_policy) {
        process_begin(&sealed_block.process.own); /* for code that may configure later */
        return false;
    }
    /* A parent or the wrapper has tried these calls already. Only calls that every program's loader makes are used before the
     * trial. */
    if (start->origin == ORIGIN_NONE && !has_needed_calls(&sealed->policy, start->error))
        return false;
    start->began = monotonic_micros();
    if (!process_begin(&sealed_block.process.own))
        return fail(start->error, "out of memory");
    int64_t n =
        KERNEL(readlinkat, AT_FDCWD, "/proc/self/exe", start->program_path, sizeof start->program_path);
    start->program = (struct text){start->program_path, n > 0 ? (uint32_t)n : 0};
    if (!read_process_facts(&sealed_block.process, start))
        return false;
    if (!is_page_size_supported())
        return fail(start->error, "the kernel's pages are not of 4096 bytes");
    derive_modes(&sealed_block.policy, sealed->process.memory_by_runtime,
                 (enum language)sealed->process.language);
    enum action ffi =
        verdict_bridge(&sealed->policy, TEXT(NODE_FFI), sealed->process.memory_by_runtime).action;
    start->has_node_ffi =
        sealed->process.language == LANGUAGE_NODE && ffi != ACTION_ALLOW && has_node_ffi(start);
    if (start->has_node_ffi && ffi == ACTION_DENY)
        return fail(start->error, HAS_FFI);
    if (!read_file_facts(&sealed_block.files, start))
        return false;
    if (is_loaded_late(start) && reports_anything(&sealed->policy) && has_io_uring())
        return fail(start->error, HAS_RING);
    open_log(&sealed_block.process, &sealed->policy, start->inherited_log);
    if (!can_clear_tmp(sealed, start->error))
        return false;
    /* A wrapper may start programs later. */
    watch_tmp(!is_child(start) && start->inherited_log < 0, start->from_code);
    keep_references(&sealed_block.files);
    list_guarded_calls();
    gate_table[GATE_READY] = start->origin == ORIGIN_READY; /* a child of a process that was ready */
    guard_calls(gate_table, sealed);
    if (!process_arm())
        return fail(start->error, "out of memory");
    if (!patch_program(&sealed_block.process, objects, start->error))
        return false;
    if (policy_judges_outbound(&sealed->policy))
        mark_inherited_sockets(); /* the gate marks later sockets */
    forbid_core_dumps(&sealed->policy);
    return seal(start->error);
}

bool arm(struct start *start, struct armed_objects *objects)
{
    bool succeeds = arm_process(start, objects);
    if (succeeds && start->has_node_ffi)
        report_node_ffi(start->program);
    drop_environment(start);
    return succeeds;
}

void report_armed(const struct armed_objects *objects, uint64_t began)
{
    struct kernel_limits limits;
    report_start(sealed->process.log, &(struct start_line){.event = TEXT("armed"),
                                                           .kernel = plan_kernel_limits(&limits),
                                                           .level = TEXT("INFO"),
                                                           .apart = sealed->process.is_late,
                                                           .has_modes = true,
                                                           .armed = true,
                                                           .tmp_times = times_of_tmp(),
                                                           .sites = objects->sites,
                                                           .patched = objects->patched,
                                                           .micros = (uint32_t)(monotonic_micros() - began)});
}

__attribute__((constructor)) static void start_engine(void)
{
    char reason[512];
    struct writer error = {reason, 0, sizeof reason, false};
    struct start start = {.inherited_log = -1, .error = &error};
    struct armed_objects objects = {0};
    if (arm(&start, &objects)) {
        /* Children and wrapper scripts are armed too, but only the function's start is reported. */
        if (!is_child(&start) && sealed->process.stage == STAGE_RUNNING)
            report_armed(&objects, start.began);
        return;
    }
    if (start.has_no_settings)
        return;
    /* A child never runs unshielded, as its parent could make its arming fail. */
    bool runs =
        sealed->policy.on_failure == ON_FAILURE_RUN_UNSHIELDED && objects.patched == 0 && !is_child(&start);
    if (runs)
        policy_explain_on_failure(&sealed->policy, &error);
    report_failure(runs, &error);
    if (!runs)
        KERNEL(exit_group, REFUSED);
}
