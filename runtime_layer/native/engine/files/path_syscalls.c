/* Judges calls that change names or the named files: mkdir, rename, unlink, chmod, ...
 *
 * The gate opens the object of the call (the parent directory, or the file itself where the call follows a last symbolic
 * link), judges it, and makes the same call with that descriptor, or through /proc/thread-self/fd. So the kernel's path begins
 * at the judged object. Tests: tests/security/cases/test_files.py. */
#include <linux/fs.h>

#include "../base/syscall_ctx.h"
#include "../base/procfs.h"
#include "../fds/own_fds.h"
#include "../state/sealed_state.h"
#include "file_verdict.h"

enum link_use {
    MAKES,         /* names an entry that must not be there */
    NEVER,         /* names an entry of a directory */
    ONLY_BY_SLASH, /* acts on the entry itself; follows a link only where the path ends in a slash */
    ALWAYS,
    UNLESS_NOFOLLOW, /* the flags argument holds AT_SYMLINK_NOFOLLOW */
    IF_FOLLOW        /* the flags argument holds AT_SYMLINK_FOLLOW */
};

enum { NONE = -1 };

/* The indexes of the path arguments. NONE: there is no such argument. */
struct path_call {
    int16_t nr;
    int8_t directory, path;               /* of the first path */
    int8_t second_directory, second_path; /* of the second */
    int8_t flags;                         /* AT_* flags */
    uint8_t follows;                      /* for the first path */
};

static const struct path_call calls[] = {
#ifdef __NR_mkdir
    {__NR_mkdir, NONE, 0, NONE, NONE, NONE, MAKES},
    {__NR_mknod, NONE, 0, NONE, NONE, NONE, MAKES},
    {__NR_rmdir, NONE, 0, NONE, NONE, NONE, NEVER},
    {__NR_unlink, NONE, 0, NONE, NONE, NONE, NEVER},
    {__NR_rename, NONE, 0, NONE, 1, NONE, NEVER},
    {__NR_link, NONE, 0, NONE, 1, NONE, NEVER},
    {__NR_symlink, NONE, 1, NONE, NONE, NONE, MAKES},
    {__NR_chmod, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_chown, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_lchown, NONE, 0, NONE, NONE, NONE, ONLY_BY_SLASH},
    {__NR_utime, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_utimes, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_futimesat, 0, 1, NONE, NONE, NONE, ALWAYS},
#endif
#ifdef __NR_renameat
    {__NR_renameat, 0, 1, 2, 3, NONE, NEVER},
#endif
    {__NR_mkdirat, 0, 1, NONE, NONE, NONE, MAKES},
    {__NR_mknodat, 0, 1, NONE, NONE, NONE, MAKES},
    {__NR_unlinkat, 0, 1, NONE, NONE, NONE, NEVER},
    {__NR_renameat2, 0, 1, 2, 3, NONE, NEVER},
    {__NR_linkat, 0, 1, 2, 3, 4, IF_FOLLOW},
    {__NR_symlinkat, 1, 2, NONE, NONE, NONE, MAKES},
    {__NR_truncate, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_fchmodat, 0, 1, NONE, NONE, NONE, ALWAYS},
    {__NR_fchmodat2, 0, 1, NONE, NONE, 3, UNLESS_NOFOLLOW},
    {__NR_fchownat, 0, 1, NONE, NONE, 4, UNLESS_NOFOLLOW},
    {__NR_utimensat, 0, 1, NONE, NONE, 3, UNLESS_NOFOLLOW},
    {__NR_setxattr, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_lsetxattr, NONE, 0, NONE, NONE, NONE, ONLY_BY_SLASH},
    {__NR_getxattr, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_lgetxattr, NONE, 0, NONE, NONE, NONE, ONLY_BY_SLASH},
    {__NR_getxattrat, 0, 1, NONE, NONE, 2, UNLESS_NOFOLLOW},
    {__NR_listxattr, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_llistxattr, NONE, 0, NONE, NONE, NONE, ONLY_BY_SLASH},
    {__NR_listxattrat, 0, 1, NONE, NONE, 2, UNLESS_NOFOLLOW},
    {__NR_removexattr, NONE, 0, NONE, NONE, NONE, ALWAYS},
    {__NR_lremovexattr, NONE, 0, NONE, NONE, NONE, ONLY_BY_SLASH},
    {__NR_setxattrat, 0, 1, NONE, NONE, 2, UNLESS_NOFOLLOW},
    {__NR_removexattrat, 0, 1, NONE, NONE, 2, UNLESS_NOFOLLOW},
    {__NR_file_setattr, 0, 1, NONE, NONE, 4, UNLESS_NOFOLLOW},
};

static const struct path_call *find(int64_t nr)
{
    for (uint32_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].nr == nr)
            return &calls[i];
    return NULL;
}

/* One path, opened and judged. `through` is the path to use instead; empty: use the caller's own argument. */
struct judged_path {
    int32_t descriptor;  /* -1: none */
    bool is_from_caller; /* the caller's own, else the gate's */
    int64_t error;       /* 0: none */
    const char
        *name; /* of an entry in that directory, terminated; NULL: the descriptor is the object itself */
    char through[PAGE];
};

static void close_path(struct judged_path *p)
{
    if (!p->is_from_caller)
        own_fd_close(p->descriptor);
}

static bool follows_link(uint32_t follows, uint64_t flags)
{
    switch (follows) {
    case ALWAYS: return true;
    case UNLESS_NOFOLLOW: return !(flags & AT_SYMLINK_NOFOLLOW);
    case IF_FOLLOW: return flags & AT_SYMLINK_FOLLOW;
    default: return false;
    }
}

/* Judges a descriptor of the caller that the call acts on. */
static void judge_descriptor_of_caller(const struct call *call, int32_t descriptor, struct judged_path *out)
{
    struct stat st;
    out->is_from_caller = true;
    out->descriptor = descriptor;
    out->error = KERNEL(fstat, descriptor, &st);
    if (!out->error && object_refused(call, descriptor, OBJECT_READ))
        out->error = -EACCES;
}

static void judge_one(const struct call *call, int32_t directory, uint64_t pointer, uint32_t follows,
                      uint64_t flags, enum entry_use use, char *path, struct judged_path *out)
{
    *out = (struct judged_path){.descriptor = -1};
    if (pointer == 0) { /* utimensat(fd, NULL): the descriptor itself, judged when it was opened */
        return;
    }
    int64_t len = read_user_string(path, pointer, PAGE);
    if (len < 0) {
        out->error = len;
        return;
    }
    if (len == 0 && !(flags & AT_EMPTY_PATH)) {
        out->error = -ENOENT;
        return;
    }
    if (len == 0 && directory != AT_FDCWD) {
        judge_descriptor_of_caller(call, directory, out);
        return;
    }
    if (len == 0) { /* the directory itself */
        copy_bytes(path, ".", 2);
        follows = NEVER;
        len = 1;
    }
    /* In calls that act on an existing entry, a slash at the end makes the kernel follow a link, whatever the flags. */
    bool slash = (follows == ONLY_BY_SLASH || follows == UNLESS_NOFOLLOW) && len > 1 && path[len - 1] == '/';
    bool follow = slash || follows_link(follows, flags);
    struct text name = slash ? TEXT("/") : TEXT("");
    out->descriptor = follow ? (int32_t)KERNEL(openat, directory, path, O_PATH | O_CLOEXEC, 0)
                             : open_parent(directory, path, 0, &name);
    out->name = follow ? NULL : name.at;
    out->descriptor = (int32_t)own_fd_take(out->descriptor);
    if (out->descriptor < 0) {
        out->error = out->descriptor;
        return;
    }
    if (!follow)
        out->error = judge_entry(call, out->descriptor, name, use);
    else if (object_refused(call, out->descriptor, OBJECT_WRITTEN))
        out->error = -EACCES;
    if (!out->error && !path_through(out->descriptor, name, out->through, sizeof out->through))
        out->error = -ENAMETOOLONG;
}

/* A rename, a new link or the removal of the handler's source would evade read_handler. */
static bool source_refused(const struct call *call, const struct judged_path *p)
{
    if (sealed->policy.modes[READ_HANDLER] == MODE_ALLOW || !is_ready() || !p->through[0])
        return false;
    int64_t object = own_fd_take(KERNEL(openat, AT_FDCWD, p->through, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0));
    if (is_error(object))
        return false;
    bool refused = object_refused(call, (int32_t)object, OBJECT_PLACE_KNOWN);
    own_fd_close(object);
    return refused;
}

static enum entry_use use_of_second(const struct call *call)
{
    switch (call->nr) {
#ifdef __NR_link
    case __NR_link:
#endif
    case __NR_linkat: return ENTRY_MADE;
    case __NR_renameat2:
        if (call->arg[4] & RENAME_NOREPLACE)
            return ENTRY_MADE;
        return call->arg[4] & RENAME_EXCHANGE ? ENTRY_NEEDED : ENTRY_ANY;
    default: return ENTRY_ANY;
    }
}

static int32_t directory_argument(const struct call *call, int8_t index)
{
    return index == NONE ? AT_FDCWD : (int32_t)call->arg[index];
}

/* Puts the judged object into the call's arguments. */
static void set_path_arguments(const struct judged_path *p, int8_t directory, int8_t path, uint64_t arg[6])
{
    bool is_entry = p->name && directory != NONE;
    if (is_entry)
        arg[directory] = (uint64_t)p->descriptor;
    /* The caller's path is replaced, as another thread may have changed it. A followed link became the magic link in /proc, so
     * the flags must follow it too. */
    if (is_entry)
        arg[path] = (uint64_t)p->name;
    else if (p->through[0])
        arg[path] = (uint64_t)p->through;
    else if (p->is_from_caller)
        arg[path] = (uint64_t)"";
}

static int64_t make_call(int64_t nr, const struct judged_path *first, const uint64_t arg[6])
{
#ifdef __NR_mkdir
    if (nr == __NR_mkdir) /* judged by its parent: Python tries it for each module that it cannot cache */
        return KERNEL(mkdirat, first->descriptor, first->name, arg[1]);
#endif
    (void)first;
    return kernel_call(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

enum outcome judge_path(struct call *call)
{
    const struct path_call *shape = find(call->nr);
    if (!shape)
        return answer(call, -EACCES);
    struct scratch *names = scratch_take();
    struct scratch *space = names ? scratch_take() : NULL;
    if (!space) {
        if (names)
            scratch_give(names);
        return answer(call, -EAGAIN);
    }
    _Static_assert(sizeof(struct judged_path) * 2 <= sizeof(struct scratch), "two paths fit one scratch");
    struct judged_path *first = (struct judged_path *)space;
    struct judged_path *second = first + 1;
    *second = (struct judged_path){.descriptor = -1};

    uint64_t flags = shape->flags == NONE ? 0 : call->arg[shape->flags];
    judge_one(call, directory_argument(call, shape->directory), call->arg[shape->path], shape->follows, flags,
              shape->follows == MAKES ? ENTRY_MADE : ENTRY_NEEDED, names->path, first);
    int64_t result = first->error;
    if (!result && shape->second_path != NONE) {
        if (source_refused(call, first))
            result = -EACCES;
        else {
            judge_one(call, directory_argument(call, shape->second_directory), call->arg[shape->second_path],
                      NEVER, 0, use_of_second(call), names->other, second);
            result = second->error;
        }
    }
    if (!result) {
        uint64_t arg[6];
        copy_bytes(arg, call->arg, sizeof arg);
        set_path_arguments(first, shape->directory, shape->path, arg);
        if (shape->second_path != NONE)
            set_path_arguments(second, shape->second_directory, shape->second_path, arg);
        result = make_call(call->nr, first, arg);
    }
    close_path(first);
    close_path(second);
    scratch_give(space);
    scratch_give(names);
    return answer(call, result);
}
