/* Tests: tests/integration/engine/test_opens_in_tmp.py. */
#include "open_in_tmp.h"

#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../fds/own_fds.h"
#include "../state/process_state.h"

/* Whether no handler and no log lies in /tmp, which would have to be judged. */
static bool has_only_files_of_tmp(void)
{
    const struct file_facts *files = &sealed->files;
    for (uint32_t i = 0; i < files->handlers.count; i++)
        if (files->handlers.inodes[i].dev == files->tmp.dev)
            return false;
    return sealed->process.log_pipe.dev != files->tmp.dev;
}

int32_t keep_tmp_directory(void)
{
    const struct policy *policy = &sealed->policy;
    bool may_allow = policy->modes[READ_WRITE_TMP] == MODE_ALLOW || policy->tmp_count;
    if (!may_allow || !sealed->files.tmp_is_mount || sealed->process.log <= 2 || !has_only_files_of_tmp())
        return 0;
    int64_t directory = KERNEL(openat, AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (is_error(directory))
        return 0;
    int32_t wanted = sealed->process.log + BEHIND_LOG;
    bool is_kept = same_inode(inode_of(directory), sealed->files.tmp) && own_fd_keep(directory, wanted);
    KERNEL(close, directory);
    return is_kept ? wanted : 0;
}

/* The path behind /tmp/ if each component is a plain name, as a pattern may match another spelling differently. Empty: it is
 * no such path. */
static struct text plain_path_below_tmp(struct text path)
{
    const struct text nothing = {NULL, 0}, tmp = TEXT("/tmp/");
    if (!text_starts(path, tmp))
        return nothing;
    struct text below = {path.at + tmp.len, path.len - tmp.len}, rest = below, name;
    if (!below.len || below.at[below.len - 1] == '/')
        return nothing;
    while (rest.len) {
        text_next(&rest, '/', &name);
        if (!name.len || text_equal(name, TEXT(".")) || text_equal(name, TEXT("..")))
            return nothing;
    }
    return below;
}

/* Without O_DIRECT: a file system that does not know it refuses the open, but has created the file. */
static bool is_simple(const struct open_call *o, uint64_t flags)
{
    bool makes = flags & O_CREAT;
    return !o->is_openat2 && !(flags & (O_PATH | __O_TMPFILE)) &&
           !(makes && flags & (O_DIRECTORY | O_DIRECT));
}

int64_t open_in_tmp(const struct open_call *o, uint64_t flags)
{
    enum { LONGEST = 512 };
    char room[LONGEST];
    /* A vfork child may have replaced the reference's number. */
    if (!sealed->files.tmp_directory || !is_simple(o, flags) || !is_memory_owner())
        return TO_BE_JUDGED;
    int64_t len = read_user_string(room, o->path, sizeof room);
    struct text path = {room, len < 0 ? 0 : (uint32_t)len}, below = plain_path_below_tmp(path);
    if (!below.len ||
        (sealed->policy.modes[READ_WRITE_TMP] != MODE_ALLOW && !is_listed_tmp(&sealed->policy, path)))
        return TO_BE_JUDGED;
    return open_beneath(sealed->files.tmp_directory, below.at, flags, o->mode);
}
