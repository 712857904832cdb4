#include "open_fastpath.h"

#include <linux/openat2.h>

#include "../base/linux_abi.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "file_verdict.h"
#include "open_in_tmp.h"
#include "read_only_mounts.h"

/* After so many opens the next path is tried again. Each miss that follows another doubles it: neighbours are likely to
 * lie elsewhere as well, and a hit says that they do not. Threads may lose one another's count. */
enum { WAIT_MOST = 15 };
static struct {
    uint32_t left, next;
} wait;

static bool is_to_wait(void)
{
    uint32_t left = __atomic_load_n(&wait.left, __ATOMIC_RELAXED);
    if (left)
        __atomic_store_n(&wait.left, left - 1, __ATOMIC_RELAXED);
    return left;
}

static void note_miss(void)
{
    uint32_t next = __atomic_load_n(&wait.next, __ATOMIC_RELAXED);
    __atomic_store_n(&wait.left, next, __ATOMIC_RELAXED);
    __atomic_store_n(&wait.next, (2 * next + 1) & WAIT_MOST, __ATOMIC_RELAXED);
}

/* An absolute path that stays on the mount of / leads to nothing that is refused, where /tmp and the handler are
 * on mounts of their own: the kernel itself can see to that (RESOLVE_NO_XDEV, openat2(2)), and no second look is
 * needed. A relative path meets a descriptor that is none. */
static int64_t open_on_root_mount(const struct opening *o, uint64_t flags)
{
    if (!sealed.root_is_clear || o->extended || is_to_wait())
        return TO_BE_JUDGED;
    struct open_how how = {.flags = flags, .resolve = RESOLVE_NO_XDEV};
    int64_t result = KERNEL(openat2, -1, o->path, &how, sizeof how);
    switch (result) {
    case -EBADF: return TO_BE_JUDGED; /* of the next path this says nothing */
    case -EXDEV:
    case -EINVAL:
    case -ENOSYS:
    case -EPERM:
    case -EAGAIN: note_miss(); return TO_BE_JUDGED;
    }
    __atomic_store_n(&wait.next, 0, __ATOMIC_RELAXED);
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

/* /proc/<name> or /proc/self/<name>: every folder on the way is procfs's own, in which nobody else makes a link. Deeper down
 * the maker of a container may have mounted another. */
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

/* What begins there leaves /proc by a magic link (proc(5)), which the kernel refuses, or by what was laid over it before the
 * start: one look tells, as no mount comes or goes any more (judge_escape). Of its files only a process's memory is judged,
 * by its name. */
static int64_t open_in_proc(const struct opening *o, uint64_t flags)
{
    char path[64]; /* what programs read of themselves and of the machine */
    if (!sealed.proc_dev || !is_plain(o, flags))
        return TO_BE_JUDGED;
    int64_t len = read_user_string(path, o->path, sizeof path);
    struct text whole = {path, len < 0 ? 0 : (uint32_t)len};
    if (!is_file_of_proc(whole) || (!reads(flags) && may_be_process_memory(whole)))
        return TO_BE_JUDGED;
    struct stat st = {0};
    int64_t looked = KERNEL(newfstatat, AT_FDCWD, path, &st, 0);
    if (looked == -ENOENT)
        return looked;
    if (is_error(looked) || st.st_dev != sealed.proc_dev)
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

/* Nothing refuses to read it: an ordinary file or directory that is neither in /tmp nor a handler. */
static bool is_free_to_read(const struct stat *st)
{
    uint32_t kind = st->st_mode & S_IFMT;
    return (kind == S_IFREG || kind == S_IFDIR) && !is_judged_closely(st);
}

/* Of the only thread a file may be opened first and looked at then: what was there a moment before says that the open does not
 * wait and has no effect of its own. */
static int64_t open_in_peace(const struct opening *o, uint64_t flags)
{
    struct stat st = {0}, opened = {0};
    if (!reads(flags) || !is_plain(o, flags) || !sealed.tmp_is_mount || !is_single_threaded())
        return TO_BE_JUDGED;
    int64_t looked = KERNEL(newfstatat, o->directory, o->path, &st, 0);
    if (looked == -ENOENT)
        return looked;
    if (is_error(looked) || !is_free_to_read(&st))
        return TO_BE_JUDGED;
    int64_t result = KERNEL(openat, o->directory, o->path, flags, 0);
    if (result >= 0 && (is_error(KERNEL(fstat, result, &opened)) || opened.st_dev != st.st_dev ||
                        opened.st_ino != st.st_ino)) {
        KERNEL(close, result);
        result = TO_BE_JUDGED;
    }
    return result;
}

static int64_t open_below_mount(const struct opening *o, uint64_t flags)
{
    return reads(flags) && is_plain(o, flags) ? open_on_read_only_mount(o, flags) : TO_BE_JUDGED;
}

static int64_t (*const ways[])(const struct opening *, uint64_t) = {open_on_root_mount, open_below_mount,
                                                                    open_in_tmp, open_in_proc, open_in_peace};
enum { WAYS = sizeof ways / sizeof *ways, PLACES = 3 /* the first ones, each of which is for one mount */ };

/* Neighbours are likely to lie on one mount: the next open goes where the last went. */
int64_t open_by_fastpath(const struct opening *o, uint64_t flags)
{
    static uint32_t last;
    uint32_t first = __atomic_load_n(&last, __ATOMIC_RELAXED);
    int64_t result = ways[first](o, flags);
    for (uint32_t i = 0; i < WAYS && result == TO_BE_JUDGED; i++) {
        result = i == first ? TO_BE_JUDGED : ways[i](o, flags);
        if (result != TO_BE_JUDGED && i < PLACES)
            __atomic_store_n(&last, i, __ATOMIC_RELAXED);
    }
    return result;
}
