/* A path that no way covers is judged (open.c).
 * Tests: tests/integration/engine/test_read_only_mounts.py, tests/integration/engine/test_opens_in_tmp.py. */
#include "open_fastpath.h"

#include <linux/openat2.h>

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../fds/own_fds.h"

enum {
    MODE_BITS = 07777, /* openat(2) ignores the others, openat2(2) refuses them */
    LONGEST = 512      /* of the paths, with their end */
};

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

/* Opens beneath a directory, which the gate keeps or the program has open. The kernel ensures that the path stays on the
 * directory's mount, below it, and follows no link (openat2(2)): so the text of the path names the file, and no other thread can
 * change that. `mode`: for a new file. TO_BE_JUDGED: the path leads elsewhere, or through a link, or the kernel did not resolve
 * it. */
static int64_t open_beneath(int32_t directory, const char *path, uint64_t flags, uint64_t mode)
{
    struct open_how how = {.flags = flags,
                           .mode = flags & O_CREAT ? mode & MODE_BITS : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int64_t result = KERNEL(openat2, directory, path, &how, sizeof how);
    return is_unresolved(result) ? TO_BE_JUDGED : result;
}

/* The function's folder (LAMBDA_TASK_ROOT), its layers, and, where a container image has its handler on /, the mount of / with
 * an empty prefix. */
enum { TASK, LAYERS, ROOT };

static struct text place_of(uint32_t i)
{
    struct text root = kept_text(sealed->process.task_root);
    if (i == TASK)
        return root.len ? root : TEXT("/var/task");
    return i == LAYERS ? TEXT("/opt") : TEXT("");
}

static bool is_kept_mount(int32_t directory)
{
    struct stat st = {.st_dev = sealed->files.tmp.dev};
    KERNEL(fstat, directory, &st);
    return st.st_dev != sealed->files.tmp.dev && st.st_dev != sealed->process.log_pipe.dev &&
           is_read_only_and_exact(directory);
}

static struct kept_mount keep_mount(uint32_t place, uint64_t root)
{
    const char *path = place == ROOT ? "/" : place_of(place).at;
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (is_error(directory))
        return (struct kept_mount){0};
    uint64_t id = mount_of((int32_t)directory);
    int32_t wanted = sealed->process.log + 1 + (int32_t)place;
    bool is_kept = id && (place == ROOT || id != root) && is_kept_mount((int32_t)directory) &&
                   own_fd_keep(directory, wanted);
    KERNEL(close, directory);
    return is_kept ? (struct kept_mount){id, wanted} : (struct kept_mount){0};
}

void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS])
{
    const struct file_facts *files = &sealed->files;
    uint64_t root = root_mount();
    if (!files->tmp_is_mount || !files->handlers.have_one_name || sealed->process.log <= 2 || !root)
        return;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (i != ROOT || !files->root_is_clear)
            mounts[i] = keep_mount(i, root);
}

/* The absolute path, in `room`, of one that starts at the working directory. Empty: it is too long, or unknown. */
static struct text make_absolute(struct text path, char *room, uint32_t cap)
{
    int64_t len = KERNEL(getcwd, room, cap) - 1; /* its end is counted */
    if (len <= 1 || (uint64_t)len + 1 + path.len >= cap || room[0] != '/')
        return TEXT("");
    struct writer w = {room, (uint32_t)len, cap, false};
    put_char(&w, '/');
    put(&w, path);
    put_char(&w, 0);
    return (struct text){room, w.used - 1};
}

static bool may_name_handler(struct text path)
{
    struct text name = base_name(path);
    for (uint32_t i = 0; i < sealed->files.handlers.count; i++)
        if (text_equal(name, text_of(sealed->files.handlers.names[i])))
            return true;
    return false;
}

static bool leads_below(struct text path, struct text place)
{
    return text_starts(path, place) && path.len > place.len + 1 && path.at[place.len] == '/' &&
           path.at[place.len + 1] != '/';
}

/* The index of the mount on which a path begins; READ_ONLY_MOUNTS: none. */
static uint32_t find_mount(struct text path)
{
    uint32_t i = 0;
    while (i < READ_ONLY_MOUNTS && !(sealed->files.read_only_mounts[i].id && leads_below(path, place_of(i))))
        i++;
    return i;
}

static bool is_on_kept_mount(int32_t directory)
{
    uint64_t mount = mount_of(directory);
    bool is_kept = false;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        is_kept |= mount && mount == sealed->files.read_only_mounts[i].id;
    return is_kept;
}

/* The kernel starts at the descriptor or the working directory instead of the mount's root: beside other threads, which can
 * replace the descriptor, at a copy. */
static int64_t open_relative(const struct open_call *o, const char *path, uint64_t flags)
{
    if (!is_on_kept_mount(o->directory))
        return TO_BE_JUDGED;
    if (is_single_threaded())
        return open_beneath(o->directory, path, flags, 0);
    int64_t copy = own_fd_copy(o->directory), result = TO_BE_JUDGED;
    if (copy >= 0 && is_on_kept_mount((int32_t)copy))
        result = open_beneath((int32_t)copy, path, flags, 0);
    own_fd_close(copy);
    return result;
}

/* Opens any path for reading. */
static int64_t open_on_read_only_mount(const struct open_call *o, uint64_t flags)
{
    char given[LONGEST], room[LONGEST];
    bool reads = (flags & O_ACCMODE) == O_RDONLY && !(flags & (O_TRUNC | O_PATH | O_NOFOLLOW));
    /* A vfork child may have replaced the reference's number. */
    if (!reads || o->is_openat2 || !is_memory_owner())
        return TO_BE_JUDGED;
    int64_t len = read_user_string(given, o->path, sizeof given);
    struct text path = {given, len < 0 ? 0 : (uint32_t)len};
    if (!path.len || may_name_handler(path))
        return TO_BE_JUDGED;
    if (path.at[0] != '/') {
        if (o->directory != AT_FDCWD || is_single_threaded())
            return open_relative(o, given, flags);
        path = make_absolute(path, room, sizeof room);
    }
    uint32_t mount = path.len ? find_mount(path) : READ_ONLY_MOUNTS;
    if (mount == READ_ONLY_MOUNTS ||
        (path.at == room && mount_of(AT_FDCWD) != sealed->files.read_only_mounts[mount].id))
        return TO_BE_JUDGED; /* the second: another folder has this path now */
    return open_beneath(sealed->files.read_only_mounts[mount].directory, path.at + place_of(mount).len + 1,
                        flags, 0);
}

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
    char room[LONGEST];
    if (!sealed->files.tmp_directory || !is_simple(o, flags) || !is_memory_owner())
        return TO_BE_JUDGED;
    int64_t len = read_user_string(room, o->path, sizeof room);
    struct text path = {room, len < 0 ? 0 : (uint32_t)len}, below = plain_path_below_tmp(path);
    if (!below.len ||
        (sealed->policy.modes[READ_WRITE_TMP] != MODE_ALLOW && !is_listed_tmp(&sealed->policy, path)))
        return TO_BE_JUDGED;
    return open_beneath(sealed->files.tmp_directory, below.at, flags, o->mode);
}

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

int64_t open_by_fastpath(const struct open_call *o, uint64_t flags)
{
    static int64_t (*const ways[])(const struct open_call *, uint64_t) = {open_on_read_only_mount,
                                                                          open_in_tmp, open_on_root_mount};
    int64_t result = TO_BE_JUDGED;
    for (uint32_t i = 0; i < sizeof ways / sizeof *ways && result == TO_BE_JUDGED; i++)
        result = ways[i](o, flags);
    return result;
}
