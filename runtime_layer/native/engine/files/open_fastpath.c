/* Tests: tests/integration/engine/test_read_only_mounts.py. */
#include "open_fastpath.h"

#include <linux/openat2.h>

#include "../base/linux_abi.h"
#include "../state/sealed_state.h"
#include "open_in_tmp.h"
#include "read_only_mounts.h"

/* Where /tmp and the handler are on other mounts, an absolute path on the mount of / leads to no refused file. The kernel
 * ensures that it stays there (RESOLVE_NO_XDEV, openat2(2)), so nothing is judged. A relative path fails by an invalid
 * descriptor. */
static int64_t open_on_root_mount(const struct open_call *o, uint64_t flags)
{
    if (!sealed->files.root_is_clear || o->is_openat2)
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

static bool is_plain(const struct open_call *o, uint64_t flags)
{
    return !o->is_openat2 && !(flags & (O_TRUNC | O_PATH | O_NOFOLLOW));
}

static int64_t open_below_mount(const struct open_call *o, uint64_t flags)
{
    return reads(flags) && is_plain(o, flags) ? open_on_read_only_mount(o, flags) : TO_BE_JUDGED;
}

int64_t open_by_fastpath(const struct open_call *o, uint64_t flags)
{
    static int64_t (*const ways[])(const struct open_call *, uint64_t) = {open_below_mount, open_in_tmp,
                                                                          open_on_root_mount};
    int64_t result = TO_BE_JUDGED;
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways && result == TO_BE_JUDGED; i++)
        result = ways[i](o, flags);
    return result;
}
