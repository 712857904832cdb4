#include "needed_calls.h"

#include <linux/sched.h>
#include <linux/wait.h>

#include "../../core/text.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "call_trials.h"

static const struct {
    enum need need;
    const char *text;
} purposes[] = {
    {ANYTHING, "the shield needs"},
    {ALERTS, "alerts need"},
    {NETWORK, "outbound_connectivity needs"},
    {FILES, "read_write_tmp and read_handler need"},
    {PROGRAMS, "create_child_process needs"},
    {MEMORY, "executable_memory needs"},
    {CLEARING, "clear_tmp needs"},
};

/* Memory shared with the trying process: its current row, and the results of earlier rows. */
struct notes {
    uint32_t at;
    struct call_results results;
};

static void try_from(volatile struct notes *notes, uint32_t first)
{
    struct trial_tools tools;
    if (!trial_begin(&tools)) { /* arming will meet the same limit, and report it */
        notes->at = trial_count();
        return;
    }
    for (uint32_t i = first; i < trial_count(); i++) {
        notes->at = i;
        notes->results.of[i] = try_row(&tools, i);
    }
    trial_end(&tools);
    notes->at = trial_count();
}

/* Tries in a forked copy. This process waits in clone(2), and the copy's end sends no signal. */
static bool try_in_child(volatile struct notes *notes, uint32_t first)
{
    int64_t child = KERNEL(clone, CLONE_VFORK);
    if (is_error(child))
        return false;
    if (child == 0) {
        try_from(notes, first);
        KERNEL(exit_group, 0);
        __builtin_trap();
    }
    if (notes->at > 0 && notes->results.of[0] == 0)
        KERNEL(wait4, child, 0, __WALL);
    return true;
}

static void try_all(volatile struct notes *notes)
{
    for (uint32_t first = 0; first < trial_count(); first++) {
        notes->at = first;
        if (!try_in_child(notes, first))
            try_from(notes, first);
        first = notes->at;
        if (first < trial_count())
            notes->results.of[first] = ENDS_PROCESS;
    }
}

static uint32_t needs_of(const struct policy *p)
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

static void put_missing(struct writer *w, const char *name, int32_t result, uint32_t needs)
{
    put(w, text_of(name));
    if (result == ENDS_PROCESS) {
        put(w, TEXT(" ends the process that calls it"));
    } else {
        put(w, name_errno(result) ? TEXT(" is refused (") : TEXT(" fails (errno "));
        if (name_errno(result))
            put(w, text_of(name_errno(result)));
        else
            put_number(w, (uint64_t)result);
        put_char(w, ')');
    }
    put(w, TEXT(", and "));
    uint32_t i = 0;
    while (!(purposes[i].need & needs))
        i++;
    put(w, text_of(purposes[i].text));
    put(w, TEXT(" it"));
    if (result == ENDS_PROCESS || name_errno(result))
        put(w, TEXT(": let the sandbox's filter (seccomp) allow it, or set on_failure to run_unshielded"));
}

bool try_calls(struct call_results *results)
{
    int64_t memory =
        KERNEL(mmap, 0, sizeof(struct notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (is_error(memory))
        return false;
    struct notes *notes = (struct notes *)memory;
    try_all(notes);
    copy_bytes(results, &notes->results, sizeof *results);
    KERNEL(munmap, memory, sizeof(struct notes));
    return true;
}

bool has_needed_calls(const struct call_results *results, const struct policy *p, struct writer *error)
{
    uint32_t needs = needs_of(p);
    for (uint32_t i = 0; i < trial_count(); i++) {
        int32_t result = results->of[i];
        bool is_bad = result == ENDS_PROCESS || (result && !(trial_at(i)->need & FALLS_BACK));
        if (is_bad && trial_at(i)->need & needs) {
            put_missing(error, trial_at(i)->name, result, trial_at(i)->need & needs);
            return false;
        }
    }
    return true;
}

bool is_a_call_deadly(const struct call_results *results)
{
    for (uint32_t i = 0; i < trial_count(); i++)
        if (results->of[i] == ENDS_PROCESS)
            return true;
    return false;
}
