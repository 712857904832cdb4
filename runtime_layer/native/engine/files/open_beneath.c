/* Tests: tests/integration/engine/test_opens_in_tmp.py. */
#include "open_beneath.h"

#include <linux/openat2.h>

#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"

enum { MODE_BITS = 07777 /* openat(2) ignores the others, openat2(2) refuses them */ };

/* Whether the kernel could not resolve the path, or the path leaves the mount. A program in a directory below may have access
 * where the way from the root is forbidden. */
static bool is_unresolved(int64_t result)
{
    switch (result) {
    case -EACCES:
    case -ELOOP:
    case -EXDEV:
    case -EAGAIN:
    case -EINVAL:
    case -ENOSYS:
    case -EPERM:
    case -EBADF: return true;
    }
    return false;
}

int64_t open_beneath(int32_t directory, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags,
                           .mode = flags & O_CREAT ? mode & MODE_BITS : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int64_t result = KERNEL(openat2, directory, path, &how, sizeof how);
    return is_unresolved(result) ? TO_BE_JUDGED : result;
}
