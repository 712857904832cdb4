#include "open_in_tmp.h"

#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../fds/own_fds.h"
#include "../state/process_state.h"

/* A handler or the log that lay there would have to be told from what is allowed. */
static bool has_only_files_of_tmp(const struct sealed *s)
{
    for (uint32_t i = 0; i < s->handler_count; i++)
        if (s->handlers[i].dev == s->tmp.dev)
            return false;
    return s->log_pipe.dev != s->tmp.dev;
}

void keep_tmp_directory(struct sealed *s)
{
    bool may_allow = s->policy.modes[READ_WRITE_TMP] == MODE_ALLOW || s->policy.tmp_count;
    if (!may_allow || !s->tmp_is_mount || s->log <= 2 || !has_only_files_of_tmp(s))
        return;
    int64_t directory = KERNEL(openat, AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (is_error(directory))
        return;
    struct stat st = {0};
    KERNEL(fstat, directory, &st);
    int32_t wanted = s->log + BEHIND_LOG;
    if (st.st_dev == s->tmp.dev && st.st_ino == s->tmp.ino && own_fd_keep(directory, wanted))
        s->tmp_directory = wanted;
    KERNEL(close, directory);
}

void drop_tmp_directory(const struct sealed *s)
{
    if (s->tmp_directory)
        own_fd_close(s->tmp_directory);
}

/* What stands behind /tmp/, where each component is a name: what a pattern says of another spelling is not what it says of the
 * file. Empty: it is not such a path. */
static struct text names_below_tmp(struct text path)
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

/* Where a file system has no O_DIRECT, what the kernel refuses is made all the same. */
static bool is_simple(const struct opening *o, uint64_t flags)
{
    bool makes = flags & O_CREAT;
    return !o->extended && !(flags & (O_PATH | __O_TMPFILE)) && !(makes && flags & (O_DIRECTORY | O_DIRECT));
}

int64_t open_in_tmp(const struct opening *o, uint64_t flags)
{
    enum { LONGEST = 512 };
    char room[LONGEST];
    /* A vfork child may have laid anything over the number of the reference. */
    if (!sealed.tmp_directory || !is_simple(o, flags) || !is_memory_owner())
        return TO_BE_JUDGED;
    int64_t len = read_user_string(room, o->path, sizeof room);
    struct text path = {room, len < 0 ? 0 : (uint32_t)len}, below = names_below_tmp(path);
    if (!below.len ||
        (sealed.policy.modes[READ_WRITE_TMP] != MODE_ALLOW && !is_listed_tmp(&sealed.policy, path)))
        return TO_BE_JUDGED;
    return open_beneath(sealed.tmp_directory, below.at, flags, o->mode);
}
