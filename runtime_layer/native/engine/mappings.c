#include "mappings.h"

#include <linux/mman.h>

#include "claims.h"
#include "files.h"
#include "judges.h"
#include "state.h"

enum { RANGES = 1024 };
enum range_kind { RANGE_FREE, RANGE_ENGINE, RANGE_TEXT };

struct range {
    uint64_t low, high;
    uint64_t trampolines; /* of a text: the range that holds them begins here */
    uint32_t kind;
};

static struct range ranges[RANGES];
static uint32_t range_count;

static bool add(uint64_t low, uint64_t high, uint32_t kind, uint64_t trampolines)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t free = RANGE_FREE;
        if (ranges[i].low == 0 && __atomic_compare_exchange_n(&ranges[i].kind, &free, kind, false,
                                                              __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            ranges[i].high = high;
            ranges[i].trampolines = trampolines;
            __atomic_store_n(&ranges[i].low, low, __ATOMIC_RELEASE);
            return true;
        }
    }
    n = __atomic_fetch_add(&range_count, 1, __ATOMIC_ACQ_REL);
    if (n >= RANGES) {
        __atomic_store_n(&range_count, RANGES, __ATOMIC_RELEASE);
        return false;
    }
    ranges[n].high = high;
    ranges[n].trampolines = trampolines;
    ranges[n].kind = kind;
    __atomic_store_n(&ranges[n].low, low, __ATOMIC_RELEASE);
    return true;
}

bool protect_range(uint64_t low, uint64_t high)
{
    return add(low, high, RANGE_ENGINE, 0);
}

static void free_range(struct range *range)
{
    __atomic_store_n(&range->low, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&range->kind, RANGE_FREE, __ATOMIC_RELEASE);
}

static void unprotect_range(uint64_t low)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind == RANGE_ENGINE && ranges[i].low == low) {
            free_range(&ranges[i]);
            return;
        }
}

bool protect_text(uint64_t low, uint64_t high, uint64_t trampolines)
{
    return add(low, high, RANGE_TEXT, trampolines);
}

static bool overlaps(uint64_t low, uint64_t high, uint32_t kind)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind == kind && ranges[i].low && ranges[i].low < high && low < ranges[i].high)
            return true;
    return false;
}

/* Does the range hold a part of some patched text, but not all of it? Only whole texts may go. */
static bool cuts_text(uint64_t low, uint64_t high)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n && i < RANGES; i++)
        if (ranges[i].kind == RANGE_TEXT && ranges[i].low && ranges[i].low < high && low < ranges[i].high &&
            (ranges[i].low < low || ranges[i].high > high))
            return true;
    return false;
}

/* The kernel ignores the top byte of an aarch64 address (Documentation/arch/arm64/tagged-address-abi.rst), and bits 57
 * to 62 of an x86_64 one where a program asked for that (arch_prctl(2): ARCH_ENABLE_TAGGED_ADDR). */
static uint64_t untagged(uint64_t address)
{
#if defined(__aarch64__)
    return address & 0x00ffffffffffffffull;
#else
    return address & ~(0x3full << 57);
#endif
}

static uint64_t range_low(uint64_t address)
{
    return page_down(untagged(address));
}

static uint64_t range_high(uint64_t address, uint64_t len)
{
    uint64_t end = untagged(address) + len;
    return end < len ? UINT64_MAX : page_up(end);
}

/* Texts that are about to go, taken out of the table: once they are unmapped, others may come to lie there. */
enum { LEAVING_MAX = 64 };
struct leaving {
    struct range texts[LEAVING_MAX];
    uint32_t count;
};

static void take_texts(uint64_t low, uint64_t high, struct leaving *leaving)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    leaving->count = 0;
    for (uint32_t i = 0; i < n && i < RANGES && leaving->count < LEAVING_MAX; i++)
        if (ranges[i].kind == RANGE_TEXT && ranges[i].low >= low && ranges[i].high <= high) {
            leaving->texts[leaving->count++] = ranges[i];
            free_range(&ranges[i]);
        }
}

/* Nothing jumps to them any more. */
static void unmap_trampolines(const struct leaving *leaving)
{
    uint32_t n = __atomic_load_n(&range_count, __ATOMIC_ACQUIRE);
    for (uint32_t text = 0; text < leaving->count; text++)
        for (uint32_t i = 0; i < n && i < RANGES; i++)
            if (ranges[i].kind == RANGE_ENGINE && ranges[i].low == leaving->texts[text].trampolines) {
                uint64_t low = ranges[i].low, high = ranges[i].high;
                free_range(&ranges[i]);
                KERNEL(munmap, low, high - low);
                break;
            }
}

static int64_t unmap_texts(uint64_t low, uint64_t high, uint64_t address, uint64_t len)
{
    struct leaving leaving;
    take_texts(low, high, &leaving);
    int64_t result = KERNEL(munmap, address, len);
    if (!is_error(result))
        unmap_trampolines(&leaving);
    else
        for (uint32_t i = 0; i < leaving.count; i++)
            protect_text(leaving.texts[i].low, leaving.texts[i].high, leaving.texts[i].trampolines);
    return result;
}

static bool refused(const struct call *call, enum policy_id id, struct text path)
{
    struct facts facts = {.path = path};
    enum reason reason = id == SELF_PROTECTION ? REASON_SELF_PROTECTION : REASON_EXECUTABLE_MEMORY;
    return refuses(call, verdict_unlisted(&sealed.policy, id, reason), &facts);
}

static bool engine_refused(const struct call *call, uint64_t low, uint64_t high)
{
    return overlaps(low, high, RANGE_ENGINE) && refused(call, SELF_PROTECTION, TEXT(""));
}

/* Something else is to lie there: never over the engine, nor over patched text. */
static bool place_refused(const struct call *call, uint64_t low, uint64_t high)
{
    if (engine_refused(call, low, high))
        return true;
    if (overlaps(low, high, RANGE_TEXT) && refused(call, SELF_PROTECTION, TEXT("")))
        return true;
    return false;
}

/* Can the file change after it was scanned? In Lambda only /tmp and memory files can. */
static bool is_writable_file(int32_t file)
{
    enum { GET_SEALS = 1034 };
    char path[512];
    struct stat st = {0};
    KERNEL(fstat, file, &st);
    return !is_error(KERNEL(fcntl, file, GET_SEALS, 0)) ||
           (sealed.tmp_is_mount && st.st_dev == sealed.tmp.dev) ||
           text_starts(path_of(file, path, sizeof path), TEXT("/tmp/"));
}

bool patch_file_mapping(int32_t file, uint64_t file_offset, uint64_t low, uint64_t high, struct patch *patch)
{
    struct stat st = {0};
    if (is_error(KERNEL(fstat, file, &st)) || st.st_size <= 0)
        return false;
    /* A look at the file through a mapping of its own: reading the mapped text itself would make all of it
     * resident, and it may have been patched already. */
    int64_t view = KERNEL(mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (is_error(view))
        return false;
    *patch = (struct patch){
        .image = {(const uint8_t *)view, (uint64_t)st.st_size},
        .delta = low - file_offset,
        .low = low,
        .high = high,
        .shared = patch->shared,
        .record = patch->record,
        .key = patch->key,
    };
    uint64_t text = file_offset < (uint64_t)st.st_size ? (uint64_t)st.st_size - file_offset : 0;
    if (text > high - low)
        text = high - low;
    KERNEL(madvise, view + (int64_t)file_offset, page_up(text),
           22 /* MADV_POPULATE_READ: one fault for all; optional */);
    bool well = patch_mapping(patch);
    KERNEL(munmap, view, st.st_size);
    return well;
}

/* Where the mapping will be, empty so far and protected: nobody else can lay anything there, nor write to it through
 * system calls, while it is scanned. The address, or an errno. */
static int64_t reserve(const uint64_t *arg)
{
    bool replaces = arg[3] & MAP_FIXED;
    uint64_t flags = (arg[3] & ~(uint64_t)MAP_TYPE) | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    int64_t at = replaces ? (int64_t)arg[0] : KERNEL(mmap, arg[0], arg[1], PROT_NONE, flags, -1, 0);
    if (is_error(at) || protect_range((uint64_t)at, (uint64_t)at + page_up(arg[1])))
        return at;
    if (!replaces)
        KERNEL(munmap, at, arg[1]);
    return -ENOMEM;
}

/* Patches what was mapped and makes it executable. 0, or an errno. */
static int64_t open_text(const struct call *call, uint64_t low, bool *told)
{
    const uint64_t *arg = call->arg;
    uint64_t high = low + page_up(arg[1]);
    struct patch patch = {0};
    if (!patch_file_mapping((int32_t)arg[4], arg[5], low, high, &patch)) {
        char path[512];
        enum policy_id id =
            patch.hard ? SELF_PROTECTION : EXECUTABLE_MEMORY; /* not an ELF: code all the same */
        bool silent = *told && id == EXECUTABLE_MEMORY;
        *told = true;
        if (!silent && refused(call, id, path_of((int32_t)arg[4], path, sizeof path)))
            return -EACCES;
    }
    return KERNEL(mprotect, low, high - low, arg[2]);
}

/* A private executable mapping of a file: mapped without execute permission, patched, then made executable. The
 * descriptor is held meanwhile: what is mapped must be what was looked at. */
static enum outcome map_text(struct call *call)
{
    uint64_t *arg = call->arg;
    int32_t file = (int32_t)arg[4];
    int64_t error = hold_theirs(file);
    if (error)
        return answer(call, error);
    char path[512];
    bool told = is_writable_file(file);
    int64_t at =
        told && refused(call, EXECUTABLE_MEMORY, path_of(file, path, sizeof path)) ? -EACCES : reserve(arg);
    if (!is_error(at)) {
        uint64_t low = (uint64_t)at;
        uint64_t flags = (arg[3] & ~(uint64_t)MAP_FIXED_NOREPLACE) | MAP_FIXED;
        int64_t result =
            KERNEL(mmap, low, arg[1], (arg[2] & ~(uint64_t)PROT_EXEC) | PROT_READ, flags, file, arg[5]);
        if (!is_error(result))
            result = open_text(call, low, &told);
        if (is_error(result)) {
            KERNEL(munmap, low, arg[1]);
            at = result;
        }
        unprotect_range(low);
    }
    let_go(file);
    return answer(call, at);
}

enum outcome judge_map(struct call *call)
{
    uint64_t *arg = call->arg;
    bool fixed = arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (fixed && place_refused(call, range_low(arg[0]), range_high(arg[0], arg[1])))
        return answer(call, -EACCES);
    if (!(arg[2] & PROT_EXEC))
        return RUN_IN_PLACE;
    bool file = !(arg[3] & MAP_ANONYMOUS);
    if (file && (arg[3] & MAP_TYPE) == MAP_PRIVATE && !(arg[2] & PROT_WRITE))
        return map_text(call);
    /* Memory that can be written and run: anonymous, shared with a writer, or both at once. */
    char path[512];
    struct text name = file ? path_of((int32_t)arg[4], path, sizeof path) : TEXT("");
    return refused(call, EXECUTABLE_MEMORY, name) ? answer(call, -EACCES) : RUN_IN_PLACE;
}

enum outcome judge_protect(struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    if (engine_refused(call, low, high))
        return answer(call, -EACCES);
    bool text = overlaps(low, high, RANGE_TEXT);
    if (text && call->arg[2] & PROT_WRITE && refused(call, SELF_PROTECTION, TEXT("")))
        return answer(call, -EACCES);
    if (call->arg[2] & PROT_EXEC && refused(call, EXECUTABLE_MEMORY, TEXT("")))
        return answer(call, -EACCES);
    return RUN_IN_PLACE;
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

enum outcome judge_unmap(struct call *call)
{
    uint64_t low = range_low(call->arg[0]), high = range_high(call->arg[0], call->arg[1]);
    bool harmless = call->nr == __NR_madvise && keeps_content(call->arg[2]);
    if (harmless)
        return RUN_IN_PLACE;
    if (engine_refused(call, low, high))
        return answer(call, -EACCES);
    bool whole = call->nr == __NR_munmap;
    if ((whole ? cuts_text(low, high) : overlaps(low, high, RANGE_TEXT)) &&
        refused(call, SELF_PROTECTION, TEXT("")))
        return answer(call, -EACCES);
    if (call->nr == __NR_mremap && call->arg[3] & MREMAP_FIXED &&
        place_refused(call, range_low(call->arg[4]), range_high(call->arg[4], call->arg[2])))
        return answer(call, -EACCES);
    if (!whole || !overlaps(low, high, RANGE_TEXT))
        return RUN_IN_PLACE;
    return answer(call, unmap_texts(low, high, call->arg[0], call->arg[1]));
}

/* Shared memory segments: run, or laid over what is there (its length is not in the call). */
enum { ATTACH_REMAP = 040000, ATTACH_EXECUTE = 0100000, READ_IMPLIES_EXECUTE = 0x400000 };

enum outcome judge_attach(struct call *call)
{
    if (call->arg[2] & ATTACH_REMAP && refused(call, SELF_PROTECTION, TEXT("")))
        return answer(call, -EACCES);
    bool runs = call->arg[2] & ATTACH_EXECUTE && refused(call, EXECUTABLE_MEMORY, TEXT(""));
    return runs ? answer(call, -EACCES) : RUN_IN_PLACE;
}

enum outcome judge_personality(struct call *call)
{
    uint32_t persona = (uint32_t)call->arg[0];
    bool runs = persona != 0xffffffffu && persona & READ_IMPLIES_EXECUTE;
    return runs && refused(call, EXECUTABLE_MEMORY, TEXT("")) ? answer(call, -EACCES) : RUN_IN_PLACE;
}
