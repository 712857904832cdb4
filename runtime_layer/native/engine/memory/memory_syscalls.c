/* Judges calls that map or protect memory: new code is scanned before it can run, and neither the engine's pages nor patched
 * text may change.
 *
 * The gate itself makes calls that map text, or that overlap text or the engine, one at a time (process_state.h).
 * Tests: tests/security/cases/test_safety.py. */
#include <linux/mman.h>

#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../base/protected_ranges.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../report/alerts.h"
#include "../report/caller.h"
#include "../files/file_verdict.h"
#include "mmap_exec.h"

static bool engine_refused(const struct call *call, uint64_t low, uint64_t high)
{
    return overlaps(low, high, RANGE_ENGINE) && self_protection_refused(call, TEXT(""));
}

/* Refuses a new mapping over the engine, or over patched text. */
static bool place_refused(const struct call *call, uint64_t low, uint64_t high)
{
    return engine_refused(call, low, high) ||
           (overlaps(low, high, RANGE_TEXT) && self_protection_refused(call, TEXT("")));
}

/* The kernel ignores the top byte of an aarch64 address (Documentation/arch/arm64/tagged-address-abi.rst), and bits 57 to 62 of
 * an x86_64 one where a program turned that on (arch_prctl(2): ARCH_ENABLE_TAGGED_ADDR). */
static uint64_t untag_address(uint64_t address)
{
#if defined(__aarch64__)
    return address & 0x00ffffffffffffffull;
#else
    return address & ~(0x3full << 57);
#endif
}

static uint64_t range_low(uint64_t address)
{
    return page_down(untag_address(address));
}

static uint64_t range_high(uint64_t address, uint64_t len)
{
    uint64_t end = untag_address(address) + len;
    return end < len ? UINT64_MAX : page_up(end);
}

/* Calls `work` under the lock of mappings. */
static enum outcome run_locked(struct call *call, int64_t (*work)(const struct call *call))
{
    uint64_t signals;
    int64_t result = -EAGAIN;
    /* A killed vfork child would leave the lock to its parent. */
    if (is_memory_owner() && take_lock(MAPPINGS, &signals)) {
        result = work(call);
        give_lock(MAPPINGS, &signals);
    }
    return answer(call, result);
}

static int64_t make(const struct call *call, bool is_refused)
{
    const uint64_t *arg = call->arg;
    return is_refused ? -EACCES : kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static bool allows_executable_memory(void)
{
    return sealed->policy.modes[EXECUTABLE_MEMORY] == MODE_ALLOW;
}

/* Whether the mapping is refused to the object that asks for it. */
static bool is_requester_refused(const struct call *call, struct text path)
{
    if (allows_executable_memory())
        return false;
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return executable_memory_refused(call, path, TEXT(""));
    bool refused = executable_memory_refused(call, path, memory_requester(call, scratch));
    scratch_give(scratch);
    return refused;
}

static bool is_mapping_refused(const struct call *call)
{
    const uint64_t *arg = call->arg;
    bool fixed = arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (fixed && place_refused(call, range_low(arg[0]), range_high(arg[0], arg[1])))
        return true;
    if (!(arg[2] & PROT_EXEC))
        return false;
    /* Writable and executable memory: anonymous, shared with a writer, or both at once. */
    char path[512];
    struct text name = arg[3] & MAP_ANONYMOUS ? TEXT("") : path_of((int32_t)arg[4], path, sizeof path);
    return is_requester_refused(call, name);
}

static int64_t map_over(const struct call *call)
{
    return make(call, is_mapping_refused(call));
}

static int64_t map_text_there(const struct call *call)
{
    const uint64_t *arg = call->arg;
    uint64_t low = range_low(arg[0]), high = range_high(arg[0], arg[1]);
    /* A text may replace another whole one: the loader maps a library again with PROT_BTI. */
    bool is_refused = arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE) &&
                      (engine_refused(call, low, high) ||
                       (cuts_text(low, high) && self_protection_refused(call, TEXT(""))));
    return is_refused ? -EACCES : map_text(call);
}

enum outcome judge_map(struct call *call)
{
    const uint64_t *arg = call->arg;
    bool executable = arg[2] & PROT_EXEC, fixed = arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (!executable && !fixed)
        return RUN_IN_PLACE;
    bool file = !(arg[3] & MAP_ANONYMOUS);
    if (executable && file && (arg[3] & MAP_TYPE) == MAP_PRIVATE && !(arg[2] & PROT_WRITE))
        return run_locked(call, map_text_there);
    if (fixed && kinds_within(range_low(arg[0]), range_high(arg[0], arg[1])))
        return run_locked(call, map_over);
    return is_mapping_refused(call) ? answer(call, -EACCES) : RUN_IN_PLACE;
}

static bool is_protection_refused(const struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    uint32_t kinds =
        kinds_within(low, high); /* searched once, as a JVM's start makes hundreds of these calls */
    bool ours = kinds & RANGE_ENGINE || (kinds & RANGE_TEXT && call->arg[2] & PROT_WRITE) ||
                (kinds & RANGE_UNRELOCATED && call->arg[2] & PROT_EXEC);
    if (ours && self_protection_refused(call, TEXT("")))
        return true;
    return call->arg[2] & PROT_EXEC && is_requester_refused(call, TEXT(""));
}

static bool is_made_by_loader(const struct call *call)
{
    struct scratch *scratch = scratch_take();
    bool is_loader = scratch && text_starts(call_maker(call, scratch), TEXT("ld-"));
    if (scratch)
        scratch_give(scratch);
    return is_loader;
}

/* ld.so makes a text with relocations writable, then executable: it is searched before the latter. */
static int64_t protect_over(const struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (call->nr == __NR_mprotect && is_unrelocated_text(low, high)) {
        if (!(call->arg[2] & PROT_WRITE))
            return call->arg[2] & PROT_EXEC ? open_relocated_text(call, low, high) : make(call, false);
        if (is_made_by_loader(call))
            return KERNEL(mprotect, low, high - low, PROT_READ | PROT_WRITE);
    }
    return make(call, is_protection_refused(call));
}

enum outcome judge_protect(struct call *call)
{
    if (kinds_within(range_low(call->arg[0]), range_high(call->arg[0], call->arg[1])))
        return run_locked(call, protect_over);
    return is_protection_refused(call) ? answer(call, -EACCES) : RUN_IN_PLACE;
}

/* Whether the advice keeps the pages' contents, here and in forked children. Other advice could restore the file's text without
 * the jumps. */
static bool keeps_content(uint64_t advice)
{
    switch ((uint32_t)advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT: return true;
    }
    return false;
}

static bool is_unmapping_refused(const struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (engine_refused(call, low, high))
        return true;
    bool text = call->nr == __NR_munmap ? cuts_text(low, high) : overlaps(low, high, RANGE_TEXT);
    if (text && self_protection_refused(call, TEXT("")))
        return true;
    return call->nr == __NR_mremap && call->arg[3] & MREMAP_FIXED &&
           place_refused(call, range_low(call->arg[4]), range_high(call->arg[4], call->arg[2]));
}

/* Whether the range holds the stack of this call: a thread that ends may unmap its stack (musl), and the gate could not
 * return. */
static bool takes_own_stack(const struct call *call, uint64_t low, uint64_t high)
{
    return call->nr == __NR_munmap && call->stack >= low && call->stack < high;
}

/* Whether the new place of a moved mapping overlaps a protected range. */
static bool target_overlaps(const struct call *call)
{
    const uint64_t *arg = call->arg;
    return call->nr == __NR_mremap && arg[3] & MREMAP_FIXED &&
           kinds_within(range_low(arg[4]), range_high(arg[4], arg[2]));
}

static int64_t unmap_over(const struct call *call)
{
    int64_t result = make(call, is_unmapping_refused(call));
    if (call->nr == __NR_munmap && !is_error(result))
        forget_texts(range_low(call->arg[0]), range_high(call->arg[0], call->arg[1]));
    return result;
}

enum outcome judge_unmap(struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (call->nr == __NR_madvise && keeps_content(call->arg[2]))
        return RUN_IN_PLACE;
    if (!kinds_within(low, high) && !target_overlaps(call))
        return RUN_IN_PLACE;
    if (takes_own_stack(call, low, high))
        return is_unmapping_refused(call) ? answer(call, -EACCES) : RUN_IN_PLACE;
    return run_locked(call, unmap_over);
}

/* Refuses shared memory segments that are executable or replace other mappings (the call does not have the length). */

enum outcome judge_attach(struct call *call)
{
    if (call->arg[2] & SHM_REMAP && self_protection_refused(call, TEXT("")))
        return answer(call, -EACCES);
    bool runs = call->arg[2] & SHM_EXEC && is_requester_refused(call, TEXT(""));
    return runs ? answer(call, -EACCES) : RUN_IN_PLACE;
}

/* READ_IMPLIES_EXEC is refused also where such memory is allowed: a later policy may forbid it, and could not find the threads
 * with that flag. */
enum outcome judge_personality(struct call *call)
{
    uint32_t persona = (uint32_t)call->arg[0];
    if (persona == 0xffffffffu || !(persona & READ_IMPLIES_EXEC))
        return RUN_IN_PLACE;
    bool refused = allows_executable_memory() ? self_protection_refused(call, TEXT(""))
                                              : executable_memory_refused(call, TEXT(""), TEXT(""));
    return refused ? answer(call, -EACCES) : RUN_IN_PLACE;
}
