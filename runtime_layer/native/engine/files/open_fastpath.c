#include "open_fastpath.h"

#include <linux/openat2.h>

#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "file_verdict.h"
#include "open_in_tmp.h"
#include "read_only_mounts.h"

/* The first eight bytes of the last path that none of the ways opened: neighbours are likely to fail as well, so of those that
 * begin so only each sixteenth is tried on the mount of /. */
enum { BEGINNING = sizeof(uint64_t), TRIED_AGAIN = 16 };
static uint64_t missed;

static uint64_t beginning_of(const struct opening *o)
{
    uint64_t beginning;
    return read_user(&beginning, o->path, BEGINNING) ? beginning : 0;
}

static bool is_to_miss(const struct opening *o)
{
    static uint32_t skipped;
    uint64_t last = __atomic_load_n(&missed, __ATOMIC_RELAXED);
    return last && beginning_of(o) == last && __atomic_add_fetch(&skipped, 1, __ATOMIC_RELAXED) % TRIED_AGAIN;
}

static void note_missed(uint64_t beginning)
{
    if (__atomic_load_n(&missed, __ATOMIC_RELAXED) != beginning)
        __atomic_store_n(&missed, beginning, __ATOMIC_RELAXED);
}

/* An absolute path that stays on the mount of / leads to nothing that is refused, where /tmp and the handler are
 * on mounts of their own: the kernel itself can see to that (RESOLVE_NO_XDEV, openat2(2)), and no second look is
 * needed. A relative path meets a descriptor that is none. */
static int64_t open_on_root_mount(const struct opening *o, uint64_t flags)
{
    if (!sealed.root_is_clear || o->extended || is_to_miss(o))
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
    note_missed(0);
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

/* The next open goes first where the last one of another mount than / went: neighbours are likely to lie on one. After every
 * fourth open of / in between, / is the first again: the other ways tell its paths quickly, but it does not tell theirs. */
static void note_place(uint32_t *first, uint32_t place)
{
    enum { FOURTH = 4 };
    static uint32_t of_root;
    uint32_t count = place ? 0 : __atomic_load_n(&of_root, __ATOMIC_RELAXED) + 1;
    if (place || count == FOURTH)
        __atomic_store_n(first, place, __ATOMIC_RELAXED);
    __atomic_store_n(&of_root, count % FOURTH, __ATOMIC_RELAXED);
}

int64_t open_by_fastpath(const struct opening *o, uint64_t flags)
{
    static uint32_t first_place;
    uint32_t first = __atomic_load_n(&first_place, __ATOMIC_RELAXED);
    int64_t result = ways[first](o, flags);
    for (uint32_t i = 0; i < WAYS && result == TO_BE_JUDGED; i++) {
        result = i == first ? TO_BE_JUDGED : ways[i](o, flags);
        if (result != TO_BE_JUDGED && i < PLACES)
            note_place(&first_place, i);
    }
    if (result == TO_BE_JUDGED)
        note_missed(beginning_of(o));
    return result;
}
