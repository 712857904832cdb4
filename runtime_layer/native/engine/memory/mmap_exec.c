#include "mmap_exec.h"

#include <linux/mman.h>

#include "../../core/native_code.h"
#include "../base/filesystem.h"
#include "../base/proc_path.h"
#include "../base/protected_ranges.h"
#include "../state/sealed_state.h"
#include "../sites/loaded_objects.h"
#include "../files/file_verdict.h"

/* Can the file change after it was scanned? What lies on the mount of / counts as fixed, as it is in Lambda. */
static bool is_writable_file(int32_t file)
{
    if (is_on_read_only_mount(file)) /* as all is in Lambda, but for /tmp */
        return false;
    return is_in_tmp(file) || ((!is_on_root_mount(file) || is_memory_file(file)) && may_change(file));
}

/* What could not be patched, and whether it may run all the same. `told`: of a file that can change it was said already. */
static bool text_refused(const struct call *call, const struct patch *patch, bool told)
{
    char buffer[512];
    struct text path = path_of((int32_t)call->arg[4], buffer, sizeof buffer);
    if (patch->hard)
        return self_protection_refused(call, path);
    return !told && executable_memory_refused(call, path, TEXT("")); /* not an ELF: code all the same */
}

/* What no segment of the file says is code. */
static bool data_refused(const struct call *call, bool told)
{
    char buffer[512];
    return !told &&
           executable_memory_refused(call, path_of((int32_t)call->arg[4], buffer, sizeof buffer), TEXT(""));
}

static bool is_any_free;

bool has_unguarded_text(void)
{
    return __atomic_load_n(&is_any_free, __ATOMIC_RELAXED);
}

/* Patches what was mapped and makes it executable, as far as its file says that code goes: a loader is about to lay something
 * else over the rest. (At the start that was done before.) 0, or an errno. */
static int64_t open_text(const struct call *call, uint64_t low, bool told)
{
    const uint64_t *arg = call->arg;
    uint64_t high = low + page_up(arg[1]);
    struct patch patch = {.low = low, .high = high, .delta = low - arg[5], .by_header = true};
    struct stat st = {0};
    KERNEL(fstat, arg[4], &st);
    bool well = patch_file_mapping((int32_t)arg[4], (uint64_t)st.st_size, &patch);
    if (!well && text_refused(call, &patch, told))
        return -EACCES;
    if (well && !patch.has_code && data_refused(call, told))
        return -EACCES;
    if (patch.hard)
        __atomic_store_n(&is_any_free, true, __ATOMIC_RELAXED);
    /* A text without a system call must not grow one either. */
    if (!patch.wanted && !protect_text(low, patch.high, 0))
        return -ENOMEM;
    return KERNEL(mprotect, low, (well ? patch.high : high) - low, arg[2]);
}

/* Maps it so that no call in it passes unseen. The address, or an errno. */
static int64_t map_searched(const struct call *call, bool told)
{
    const uint64_t *arg = call->arg;
    uint64_t readable = (arg[2] & ~(uint64_t)PROT_EXEC) | PROT_READ;
    int64_t at = KERNEL(mmap, arg[0], arg[1], readable, arg[3], arg[4], arg[5]);
    if (is_error(at))
        return at;
    forget_texts((uint64_t)at, (uint64_t)at + page_up(arg[1])); /* what it replaced */
    int64_t result = open_text(call, (uint64_t)at, told);
    if (is_error(result))
        KERNEL(munmap, at, arg[1]);
    return is_error(result) ? result : at;
}

static int64_t map_as_it_is(const uint64_t *arg)
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
    bool told = is_writable_file(file);
    struct text path = path_of(file, buffer, sizeof buffer), bridge = refused_bridge(path);
    if (bridge.len && bridge_is_refused(call, path, bridge))
        return -EACCES;
    if (told && executable_memory_refused(call, path, TEXT("")))
        return -EACCES;
    return !told && is_trusted_library(path) ? map_as_it_is(call->arg) : map_searched(call, told);
}
