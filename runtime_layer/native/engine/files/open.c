/* Judges open, openat, openat2 and creat.
 *
 * An existing file is opened as a reference first (O_PATH), judged as an object (device and inode), and opened through that
 * reference. No path is judged, so symbolic links, /proc spellings and paths that change during the call have no effect; and a
 * refused object never has a readable descriptor. A new file is created in two steps: its parent directory is opened and
 * judged, then the file is created beneath it without following a last symbolic link, so that another thread cannot change the
 * place. Opens by open_fastpath.h skip these steps. Tests: tests/security/cases/test_files.py. */
#include <linux/openat2.h>

#include "../base/syscall_ctx.h"
#include "../base/procfs.h"
#include "../fds/own_fds.h"
#include "../state/sealed_state.h"
#include "file_verdict.h"
#include "open_fastpath.h"

enum { LINKS_MAX = 40 };

static int64_t kernel_open(const struct open_call *o, int64_t directory, uint64_t path, uint64_t flags)
{
    if (!o->is_openat2)
        return KERNEL(openat, directory, path, flags, o->mode);
    struct open_how how = {
        .flags = flags, .mode = flags & (O_CREAT | __O_TMPFILE) ? o->mode : 0, .resolve = o->resolve};
    return KERNEL(openat2, directory, path, &how, sizeof how);
}

static bool can_write(uint64_t flags)
{
    return ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC) && !(flags & O_PATH);
}

static int64_t judged(const struct call *call, int64_t descriptor, uint64_t flags, uint32_t known)
{
    if (is_error(descriptor) ||
        !object_refused(call, (int32_t)descriptor, known | (can_write(flags) ? OBJECT_WRITTEN : 0)))
        return descriptor;
    KERNEL(close, descriptor);
    return -EACCES;
}

static int64_t create(const struct call *call, const struct open_call *o, struct scratch *scratch)
{
    int32_t directory = o->directory, own = -1; /* the gate could get a number that the caller closes */
    int64_t result = -ELOOP;
    bool follows = !(o->flags & (O_NOFOLLOW | O_EXCL));
    for (uint32_t links = 0; links <= LINKS_MAX; links++) {
        struct text name;
        int32_t parent = (int32_t)own_fd_take(open_parent(directory, scratch->path, o->resolve, &name));
        own_fd_close(own);
        if (parent < 0)
            return parent;
        own = directory = parent;
        bool makes = o->flags & O_EXCL && !text_ends(name, TEXT("/")); /* with the slash: EISDIR */
        result = judge_entry(call, parent, name, makes ? ENTRY_MADE : ENTRY_ANY);
        if (result)
            break;
        result = judged(call, kernel_open(o, parent, (uint64_t)name.at, o->flags | O_NOFOLLOW), o->flags,
                        OBJECT_PLACE_KNOWN);
        if (result != -ELOOP || !follows || o->resolve)
            break;
        int64_t n = KERNEL(readlinkat, parent, name.at, scratch->link, sizeof scratch->link - 1);
        if (n <= 0) { /* another thread replaced or removed the link: retry */
            n = name.len;
            copy_bytes(scratch->link, name.at, name.len);
        }
        copy_bytes(scratch->path, scratch->link, (uint64_t)n);
        scratch->path[n] = 0;
        result = -ELOOP;
    }
    own_fd_close(own);
    return result;
}

static int64_t open_temporary(const struct call *call, const struct open_call *o)
{
    int64_t checked = KERNEL(openat, AT_FDCWD, "", o->flags, o->mode); /* the kernel checks flags first */
    if (checked != -ENOENT)
        return checked;
    uint64_t reference = O_PATH | O_DIRECTORY | O_CLOEXEC | (o->flags & O_NOFOLLOW);
    int64_t directory = own_fd_take(kernel_open(o, o->directory, o->path, reference));
    if (is_error(directory))
        return directory;
    int64_t result = judge_entry(call, (int32_t)directory, TEXT("#"), ENTRY_ANY);
    if (!result)
        result = KERNEL(openat, directory, ".", o->flags, o->mode);
    own_fd_close(directory);
    return result;
}

static bool is_kind(int64_t object, uint32_t kind)
{
    struct stat st = {0};
    KERNEL(fstat, object, &st);
    return (st.st_mode & S_IFMT) == kind;
}

/* Opens the judged object with the program's flags, through the reference. */
static int64_t open_object(const struct call *call, int64_t object, uint64_t flags)
{
    char path[48];
    if (flags & O_NOFOLLOW && is_kind(object, S_IFLNK))
        return -ELOOP;
    uint32_t known = (can_write(flags) ? OBJECT_WRITTEN : OBJECT_READ) |
                     ((flags & O_ACCMODE) != O_WRONLY ? OBJECT_READABLE : 0);
    if (object_refused(call, (int32_t)object, known))
        return -EACCES;
    path_through((int32_t)object, TEXT(""), path, sizeof path);
    return KERNEL(openat, AT_FDCWD, path, flags & ~(uint64_t)O_NOFOLLOW, 0);
}

/* Opens an existing file, first as a reference, so that no other thread can read or write a refused object through the gate's
 * descriptor. */
static int64_t open_existing(const struct call *call, const struct open_call *o, uint64_t flags)
{
    int64_t quick = open_by_fastpath(o, flags);
    if (quick != TO_BE_JUDGED)
        return quick;
    uint64_t reference =
        O_PATH | (flags & (O_NOFOLLOW | O_DIRECTORY)) | (flags & O_PATH ? flags & O_CLOEXEC : O_CLOEXEC);
    int64_t object = kernel_open(o, o->directory, o->path, reference);
    if (is_error(object))
        return object;
    if (flags & O_PATH)
        return judged(call, object, flags, OBJECT_READ);
    object = own_fd_take(object);
    int64_t result = open_object(call, object, flags);
    own_fd_close(object);
    return result;
}

static int64_t make_open(const struct call *call, const struct open_call *o)
{
    if ((o->flags & O_TMPFILE) == O_TMPFILE)
        return open_temporary(call, o);
    if (o->flags & O_PATH || !(o->flags & O_CREAT)) /* O_PATH ignores O_CREAT */
        return open_existing(call, o, o->flags);
    int64_t quick = open_in_tmp(o, o->flags);
    if (quick != TO_BE_JUDGED)
        return quick;
    if (o->flags & O_DIRECTORY) /* before Linux 6.4 that created a file and returned ENOTDIR */
        return -EINVAL;
    if (!(o->flags & O_EXCL)) {
        int64_t existing = open_existing(call, o, o->flags & ~(uint64_t)O_CREAT);
        if (!is_error(existing) && is_kind(existing, S_IFDIR)) { /* a directory is not created by open(2) */
            KERNEL(close, existing);
            return -EISDIR;
        }
        /* With a slash behind the name of a file or a link, the open that may create says EISDIR. */
        if (existing != -ENOENT && existing != -ENOTDIR && existing != -ELOOP)
            return existing;
    }
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -EAGAIN;
    int64_t len = read_user_string(scratch->path, o->path, sizeof scratch->path);
    int64_t result = len < 0 ? len : len == 0 ? -ENOENT : create(call, o, scratch);
    scratch_give(scratch);
    return result;
}

enum outcome judge_open(struct call *call)
{
    uint64_t *arg = call->arg;
    struct open_call o = {.directory = AT_FDCWD, .path = arg[0], .flags = (uint32_t)arg[1], .mode = arg[2]};
    switch (call->nr) {
#ifdef __NR_open
    case __NR_open: break;
    case __NR_creat:
        o.flags = O_CREAT | O_WRONLY | O_TRUNC;
        o.mode = arg[1];
        break;
#endif
    case __NR_openat:
        o = (struct open_call){
            .directory = (int32_t)arg[0], .path = arg[1], .flags = (uint32_t)arg[2], .mode = arg[3]};
        break;
    case __NR_openat2: {
        struct open_how how;
        if (arg[3] < sizeof how || arg[3] > PAGE)
            return RUN_IN_PLACE; /* EINVAL or E2BIG */
        if (!read_user(&how, arg[2], sizeof how))
            return answer(call, -EFAULT);
        for (uint64_t i = sizeof how; i < arg[3]; i++) {
            uint8_t byte;
            if (!read_user(&byte, arg[2] + i, 1))
                return answer(call, -EFAULT);
            if (byte)
                return answer(call, -E2BIG); /* an extension that this gate does not know */
        }
        /* The kernel looks at the flags before the path: ENOENT says that they are right. */
        int64_t checked = KERNEL(openat2, AT_FDCWD, "", &how, sizeof how);
        if (checked != -ENOENT)
            return answer(call, checked);
        o = (struct open_call){.directory = (int32_t)arg[0],
                               .path = arg[1],
                               .flags = how.flags,
                               .mode = how.mode,
                               .resolve = how.resolve,
                               .is_openat2 = true};
        break;
    }
    }
    return answer(call, make_open(call, &o));
}
