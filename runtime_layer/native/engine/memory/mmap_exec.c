/* Code that a program writes itself is not searched. Tests: tests/integration/engine/test_headers.py. */
#include "mmap_exec.h"

#include <linux/mman.h>

#include "../../core/native_code.h"
#include "../base/filesystem.h"
#include "../base/procfs.h"
#include "../base/protected_ranges.h"
#include "../state/sealed_state.h"
#include "../state/syscall_policy.h"
#include "../sites/loaded_objects.h"
#include "../fds/own_fds.h"
#include "../files/file_verdict.h"

/* Whether the file can change after the scan. The mount of / counts as read-only, as it is in Lambda. */
static bool is_writable_file(int32_t file)
{
    if (is_on_read_only_mount(file)) /* in Lambda, all mounts except /tmp */
        return false;
    return is_in_tmp(file) || ((!is_on_root_mount(file) || is_memory_file(file)) && may_change(file));
}

/* An executable mapping of a file. `is_reported`: a file that can change was reported already. */
struct mapped_text {
    int32_t file;
    bool is_reported, is_relocated;
    uint64_t low, high, offset, protection;
};

/* Judges text that could not be patched, or that is no code by its file: no ELF, or outside its executable segments. */
static bool text_refused(const struct call *call, const struct mapped_text *t, bool hard)
{
    char buffer[512];
    struct text path = path_of(t->file, buffer, sizeof buffer);
    return hard ? self_protection_refused(call, path)
                : !t->is_reported && executable_memory_refused(call, path, TEXT(""));
}

static bool
    is_any_free; /* a thread that maps sets it for ever, and no other memory depends on it, so relaxed */

bool has_unguarded_text(void)
{
    return __atomic_load_n(&is_any_free, __ATOMIC_RELAXED);
}

/* Patches a mapping and makes it executable, up to the end of code in its file: a loader maps other segments over the rest.
 * Text with relocations is patched later, after its loader has written them. 0, or an errno. */
static int64_t open_text(const struct call *call, const struct mapped_text *t)
{
    struct patch patch = {
        .low = t->low, .high = t->high, .delta = t->low - t->offset, .by_header = !t->is_relocated};
    bool succeeds = patch_file_mapping(t->file, (uint64_t)stat_of(t->file).st_size, &patch);
    if ((!succeeds || !patch.has_code) && text_refused(call, t, !succeeds && patch.hard))
        return -EACCES;
    if (patch.is_waiting && gate_table[GATE_REASONS] & FOR_SAFETY)
        return protect_range(t->low, patch.high, RANGE_TEXT | RANGE_UNRELOCATED, 0) ? 0 : -ENOMEM;
    if (patch.hard || patch.is_waiting)
        __atomic_store_n(&is_any_free, true, __ATOMIC_RELAXED);
    /* Text without a system call must not get one. */
    if (!patch.wanted && !protect_range(t->low, patch.high, RANGE_TEXT, 0))
        return -ENOMEM;
    return KERNEL(mprotect, t->low, (succeeds ? patch.high : t->high) - t->low, t->protection);
}

struct named_mapping {
    uint64_t low, offset, ino;
    char path[512];
};

static bool find_mapping(void *context, const struct mapping *m)
{
    struct named_mapping *found = context;
    if (found->low < m->low || found->low >= m->high || m->path.len >= sizeof found->path)
        return false;
    found->offset = m->offset + (found->low - m->low);
    found->ino = m->ino;
    copy_bytes(found->path, m->path.at, m->path.len);
    return true;
}

int64_t open_relocated_text(const struct call *call, uint64_t low, uint64_t high)
{
    struct named_mapping found = {.low = low};
    struct stat st = {0};
    struct scratch *scratch = scratch_take();
    if (scratch) {
        each_mapping(scratch->line, sizeof scratch->line, find_mapping, &found);
        scratch_give(scratch);
    }
    int64_t file = own_fd_take(KERNEL(openat, AT_FDCWD, found.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0));
    int64_t result = is_error(file) ? file : KERNEL(fstat, file, &st);
    if (!is_error(result) && st.st_ino != found.ino)
        result = -EACCES;
    if (!is_error(result)) /* so that no thread writes to it during the search */
        result = KERNEL(mprotect, low, high - low, PROT_READ);
    if (!is_error(result)) {
        forget_texts(low, high);
        result = open_text(
            call, &(struct mapped_text){(int32_t)file, false, true, low, high, found.offset, call->arg[2]});
        if (is_error(result))
            protect_range(low, high, RANGE_TEXT | RANGE_UNRELOCATED, 0);
    }
    own_fd_close(file);
    return result;
}

/* Maps text with all its calls guarded. Returns the address, or an errno. */
static int64_t map_searched(const struct call *call, bool is_reported)
{
    const uint64_t *arg = call->arg;
    uint64_t readable = (arg[2] & ~(uint64_t)PROT_EXEC) | PROT_READ;
    int64_t at = KERNEL(mmap, arg[0], arg[1], readable, arg[3], arg[4], arg[5]);
    if (is_error(at))
        return at;
    uint64_t low = (uint64_t)at, high = low + page_up(arg[1]);
    forget_texts(low, high); /* of the replaced text */
    int64_t result = open_text(
        call, &(struct mapped_text){(int32_t)arg[4], is_reported, false, low, high, arg[5], arg[2]});
    if (is_error(result))
        KERNEL(munmap, at, arg[1]);
    return is_error(result) ? result : at;
}

static int64_t map_unsearched(const uint64_t *arg)
{
    int64_t at = KERNEL(mmap, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    if (!is_error(at))
        forget_texts((uint64_t)at, (uint64_t)at + page_up(arg[1]));
    return at;
}

int64_t map_text(const struct call *call)
{
    int32_t file = (int32_t)call->arg[4];
    char buffer[512];
    bool is_writable = is_writable_file(file);
    struct text path = path_of(file, buffer, sizeof buffer),
                bridge = refused_bridge(path, !sealed->policy.loads_bridges);
    if (bridge.len && bridge_is_refused(call, path, bridge))
        return -EACCES;
    if (is_writable && executable_memory_refused(call, path, TEXT("")))
        return -EACCES;
    return !is_writable && is_trusted_library(path) ? map_unsearched(call->arg)
                                                    : map_searched(call, is_writable);
}
