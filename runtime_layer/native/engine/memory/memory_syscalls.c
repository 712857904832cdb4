/* Executable memory: what becomes executable is scanned before it can run, and the engine's own pages and the text
 * that it patched stay as they are.
 *
 * Calls that change what lies where are made by the gate, one side at a time: those that prepare a text, and all
 * others. Otherwise a call that was judged before a text came to be there could still fall on it. */
#include <linux/mman.h>

#include "../base/handlers.h"
#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/protected_ranges.h"
#include "../state/fd_pins.h"
#include "../state/sealed_state.h"
#include "../report/alerts.h"
#include "../files/file_verdict.h"
#include "mmap_exec.h"

static bool engine_refused(const struct call *call, uint64_t low, uint64_t high)
{
    return overlaps(low, high, RANGE_ENGINE) && self_protection_refused(call, TEXT(""));
}

/* Something else is to lie there: never over the engine, nor over patched text. */
static bool place_refused(const struct call *call, uint64_t low, uint64_t high)
{
    return engine_refused(call, low, high) ||
           (overlaps(low, high, RANGE_TEXT) && self_protection_refused(call, TEXT("")));
}

/* The kernel ignores the top byte of an aarch64 address (Documentation/arch/arm64/tagged-address-abi.rst), and bits 57
 * to 62 of an x86_64 one where a program asked for that (arch_prctl(2): ARCH_ENABLE_TAGGED_ADDR). */
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

/* Is the call refused? Each looks at one kind of call. */
typedef bool (*refusal)(const struct call *call);

/* Judges a call that changes mappings, and makes it, while nobody prepares a text. */
static enum outcome change_mappings(struct call *call, refusal is_refused)
{
    const uint64_t *arg = call->arg;
    int32_t claim = lay_begin();
    if (claim < 0)
        return answer(call, -EAGAIN);
    int64_t result =
        is_refused(call) ? -EACCES : kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    change_end(claim);
    return answer(call, result);
}

/* What meets something may only have met what an unloaded text left, and is judged with a claim. */
static bool is_free(uint64_t low, uint64_t high)
{
    return leaves_memory_free(&sealed) && !kinds_within(low, high);
}

/* Lets this thread alone work on texts. No signal handler runs meanwhile: it could wait for what it interrupted, or
 * leave by longjmp. */
static enum outcome run_alone(struct call *call, int64_t (*work)(const struct call *call))
{
    const uint64_t all = UINT64_MAX;
    uint64_t before;
    KERNEL(rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    int64_t result = is_laying() ? -EAGAIN : prepare_begin();
    if (!result) {
        result = work(call);
        prepare_end();
    }
    KERNEL(rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    return answer(call, result);
}

static bool is_mapping_refused(const struct call *call)
{
    const uint64_t *arg = call->arg;
    bool fixed = arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (fixed && place_refused(call, range_low(arg[0]), range_high(arg[0], arg[1])))
        return true;
    if (!(arg[2] & PROT_EXEC))
        return false;
    /* Memory that can be written and run: anonymous, shared with a writer, or both at once. */
    char path[512];
    struct text name = arg[3] & MAP_ANONYMOUS ? TEXT("") : path_of((int32_t)arg[4], path, sizeof path);
    return executable_memory_refused(call, name);
}

static int64_t map_text_there(const struct call *call)
{
    const uint64_t *arg = call->arg;
    uint64_t low = range_low(arg[0]), high = range_high(arg[0], arg[1]);
    /* A text may take the place of another whole one: the loader maps a library again to have it checked by the
     * processor (PROT_BTI). */
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
    if (!executable && is_free(range_low(arg[0]), range_high(arg[0], arg[1])))
        return RUN_IN_PLACE;
    bool text = executable && file && (arg[3] & MAP_TYPE) == MAP_PRIVATE && !(arg[2] & PROT_WRITE);
    return text ? run_alone(call, map_text_there) : change_mappings(call, is_mapping_refused);
}

static bool is_protection_refused(const struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    uint32_t kinds = kinds_within(low, high); /* one look: a JVM's start makes hundreds of these calls */
    bool ours = kinds & RANGE_ENGINE || (kinds & RANGE_TEXT && call->arg[2] & PROT_WRITE);
    if (ours && self_protection_refused(call, TEXT("")))
        return true;
    return call->arg[2] & PROT_EXEC && executable_memory_refused(call, TEXT(""));
}

enum outcome judge_protect(struct call *call)
{
    const uint64_t *arg = call->arg;
    if (!(arg[2] & PROT_EXEC) && is_free(range_low(arg[0]), range_high(arg[0], arg[1])))
        return RUN_IN_PLACE;
    return change_mappings(call, is_protection_refused);
}

/* Advice that leaves what the pages hold as it is, here and in forked children. All other advice could bring the
 * text back as it is in the file, without its jumps. */
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

/* A thread that ends may unmap the very stack that this call runs on (musl does): nothing can be made behind it. */
static bool takes_own_stack(const struct call *call, uint64_t low, uint64_t high)
{
    return call->nr == __NR_munmap && call->stack >= low && call->stack < high;
}

static int64_t unmap_whole_texts(const struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (is_unmapping_refused(call))
        return -EACCES;
    int64_t result = KERNEL(munmap, call->arg[0], call->arg[1]);
    if (!is_error(result))
        forget_texts(low, high);
    return result;
}

enum outcome judge_unmap(struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (call->nr == __NR_madvise && keeps_content(call->arg[2]))
        return RUN_IN_PLACE;
    if (call->nr != __NR_mremap && is_free(low, high))
        return RUN_IN_PLACE;
    if (takes_own_stack(call, low, high))
        return is_unmapping_refused(call) ? answer(call, -EACCES) : RUN_IN_PLACE;
    if (call->nr == __NR_munmap && overlaps(low, high, RANGE_TEXT))
        return run_alone(call, unmap_whole_texts);
    return change_mappings(call, is_unmapping_refused);
}

/* Shared memory segments: run, or laid over what is there (its length is not in the call). */

enum outcome judge_attach(struct call *call)
{
    if (call->arg[2] & SHM_REMAP && self_protection_refused(call, TEXT("")))
        return answer(call, -EACCES);
    bool runs = call->arg[2] & SHM_EXEC && executable_memory_refused(call, TEXT(""));
    return runs ? answer(call, -EACCES) : RUN_IN_PLACE;
}

/* Also where such memory is allowed: a policy that comes later may forbid it, and could not tell which threads have made
 * all that can be read run. */
enum outcome judge_personality(struct call *call)
{
    uint32_t persona = (uint32_t)call->arg[0];
    if (persona == 0xffffffffu || !(persona & READ_IMPLIES_EXEC))
        return RUN_IN_PLACE;
    bool allows = sealed.policy.modes[EXECUTABLE_MEMORY] == MODE_ALLOW;
    bool refused =
        allows ? self_protection_refused(call, TEXT("")) : executable_memory_refused(call, TEXT(""));
    return refused ? answer(call, -EACCES) : RUN_IN_PLACE;
}
