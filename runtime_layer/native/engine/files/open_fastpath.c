#include "open_fastpath.h"

#include <linux/openat2.h>

#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "file_verdict.h"
#include "open_in_tmp.h"
#include "read_only_mounts.h"

/* Where /tmp and the handler are on other mounts, an absolute path that stays on the mount of / leads to no refused file: the
 * kernel ensures that (RESOLVE_NO_XDEV, openat2(2)), and nothing is judged. A relative path fails, by an invalid descriptor. */
static int64_t open_on_root_mount(const struct opening *o, uint64_t flags)
{
    if (!sealed->files.root_is_clear || o->extended)
        return TO_BE_JUDGED;
    struct open_how how = {.flags = flags, .resolve = RESOLVE_NO_XDEV};
    int64_t result = KERNEL(openat2, -1, o->path, &how, sizeof how);
    switch (result) {
    case -EBADF:
    case -EXDEV:
    case -EINVAL:
    case -ENOSYS:
    case -EPERM:
    case -EAGAIN: return TO_BE_JUDGED;
    }
    return result;
}

static bool reads(uint64_t flags)
{
    return (flags & O_ACCMODE) == O_RDONLY;
}

static bool is_plain(const struct opening *o, uint64_t flags)
{
    return !o->extended && !(flags & (O_TRUNC | O_PATH | O_NOFOLLOW));
}

/* /proc/<name> or /proc/self/<name>: both folders are procfs's own, where no program can make a link. Deeper down the maker of
 * a container may have mounted another. */
static bool is_file_of_proc(struct text path)
{
    static const char *const folders[] = {"/proc/self/", "/proc/"}; /* the longer first */
    for (uint32_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct text folder = text_of(folders[i]);
        if (!text_starts(path, folder))
            continue;
        struct text name = {path.at + folder.len, path.len - folder.len};
        return name.len && !text_equal(name, TEXT("..")) && base_name(path).len == name.len;
    }
    return false;
}

/* A path from there leaves /proc only by a magic link (proc(5)), which the kernel refuses, or by a mount made before the start:
 * one check finds it, as no mount comes or goes any more (judge_escape). Of its files only a process's memory is judged, by its
 * name. */
static int64_t open_in_proc(const struct opening *o, uint64_t flags)
{
    char path[64]; /* room for the usual files */
    if (!sealed->files.proc_dev || !is_plain(o, flags))
        return TO_BE_JUDGED;
    int64_t len = read_user_string(path, o->path, sizeof path);
    struct text whole = {path, len < 0 ? 0 : (uint32_t)len};
    if (!is_file_of_proc(whole) || (!reads(flags) && may_be_process_memory(whole)))
        return TO_BE_JUDGED;
    struct stat st = {0};
    int64_t looked = KERNEL(newfstatat, AT_FDCWD, path, &st, 0);
    if (looked == -ENOENT)
        return looked;
    if (is_error(looked) || st.st_dev != sealed->files.proc_dev)
        return TO_BE_JUDGED;
    struct open_how how = {.flags = flags, .resolve = RESOLVE_NO_MAGICLINKS};
    int64_t result = KERNEL(openat2, -1, path, &how, sizeof how);
    switch (result) {
    case -ELOOP: /* there is one */
    case -EINVAL:
    case -ENOSYS:
    case -EPERM: return TO_BE_JUDGED;
    }
    return result;
}

static int64_t open_below_mount(const struct opening *o, uint64_t flags)
{
    return reads(flags) && is_plain(o, flags) ? open_on_read_only_mount(o, flags) : TO_BE_JUDGED;
}

int64_t open_by_fastpath(const struct opening *o, uint64_t flags)
{
    static int64_t (*const ways[])(const struct opening *, uint64_t) = {open_below_mount, open_in_tmp,
                                                                        open_on_root_mount, open_in_proc};
    int64_t result = TO_BE_JUDGED;
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways && result == TO_BE_JUDGED; i++)
        result = ways[i](o, flags);
    return result;
}
