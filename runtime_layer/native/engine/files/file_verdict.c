/* Judges files: by the object of a descriptor, or by the directory of a new entry. Tests: tests/lab/fuzz/paths.c. */
#include "file_verdict.h"

#include <linux/openat2.h>

#include "../base/filesystem.h"
#include "../base/procfs.h"
#include "../state/sealed_state.h"

/* The file's index among the handlers; their count: it is none. */
static uint32_t handler_index(const struct stat *st)
{
    const struct handlers *handlers = &sealed->files.handlers;
    return find_inode(handlers->inodes, handlers->count, (struct inode){st->st_dev, st->st_ino});
}

static bool is_handler(const struct stat *st)
{
    return handler_index(st) < sealed->files.handlers.count;
}

static bool under_tmp(struct text path)
{
    return text_starts(path, TEXT("/tmp")) && (path.len == 4 || path.at[4] == '/');
}

/* Whether a file of procfs may be /proc/<pid>/mem or /proc/<pid>/task/<tid>/mem, whose writes ignore page protection. An
 * unknown path counts. */
static bool may_be_process_memory(struct text path)
{
    return !path.len || text_ends(path, TEXT("/mem"));
}

/* Whether the file looks like one: empty, with rights for its owner alone (proc(5)), on any instance of procfs, as a container
 * may have several. */
static bool looks_like_memory(const struct stat *st)
{
    return (st->st_mode & S_IFMT) == S_IFREG && !st->st_size && !(st->st_mode & 077);
}

/* `empty`: the file is empty, or not created yet. */
static enum tmp_use use_of_tmp(const struct call *call, bool empty)
{
    enum tmp_use at_work = TMP_AT_WORK;
    switch (call->nr) {
#ifdef __NR_unlink
    case __NR_unlink:
    case __NR_rmdir:
#endif
    case __NR_unlinkat: return TMP_TAKEN_AWAY;
#ifdef __NR_mkdir
    case __NR_mkdir:
#endif
    case __NR_mkdirat: at_work = TMP_FOLDER; break;
#ifdef __NR_open
    case __NR_open:
    case __NR_creat:
    case __NR_utime:
    case __NR_utimes:
    case __NR_futimesat:
#endif
    case __NR_openat:
    case __NR_openat2:
    case __NR_utimensat: at_work = empty ? TMP_EMPTY : TMP_AT_WORK; break;
    }
    return is_ready() ? at_work : TMP_AT_START;
}

static struct verdict judge_tmp(const struct call *call, struct text path, bool empty)
{
    enum language language = (enum language)sealed->process.language;
    return verdict_tmp(&sealed->policy, path, language, use_of_tmp(call, empty));
}

static bool tmp_refused(const struct call *call, struct text path, bool empty)
{
    return refuses(call, judge_tmp(call, path, empty), &(struct facts){.path = path, .allow = path});
}

bool object_refused(const struct call *call, int32_t descriptor, uint32_t known)
{
    const struct policy *policy = &sealed->policy;
    bool writes = known & OBJECT_WRITTEN, reads = known & OBJECT_READABLE && sealed->process.log_pipe.ino;
    bool judges_tmp = policy->modes[READ_WRITE_TMP] != MODE_ALLOW && !(known & OBJECT_PLACE_KNOWN);
    bool judges_handler = policy->modes[READ_HANDLER] != MODE_ALLOW && is_ready();
    if (!judges_tmp && !judges_handler && !writes && !reads)
        return false;
    /* A seccomp filter that fakes fstat's success must not admit every file: `st` starts as a non-empty file of /tmp, and a
     * file without an inode number may be a process's memory. */
    struct stat st;
    st.st_dev = sealed->files.tmp.dev;
    st.st_ino = 0;
    st.st_size = 1;
    st.st_mode = S_IFREG;
    KERNEL(fstat, descriptor, &st);
    bool handler = judges_handler && is_handler(&st);
    bool maybe_tmp = judges_tmp && (st.st_dev == sealed->files.tmp.dev || !sealed->files.tmp_is_mount);
    bool memory = writes && (looks_like_memory(&st) || !st.st_ino);
    bool log = reads && same_inode(sealed->process.log_pipe, (struct inode){st.st_dev, st.st_ino});
    if (!handler && !maybe_tmp && !memory && !log)
        return false;

    struct scratch *scratch = scratch_take();
    if (!scratch)
        return true;
    struct text path = path_of(descriptor, scratch->path, sizeof scratch->path);
    bool refused = false;
    if (handler) {
        struct facts facts = {.path = path, .handler = handler_index(&st)};
        refused = refuses(call, verdict_unlisted(policy, READ_HANDLER, REASON_HANDLER), &facts);
    }
    if (!refused && maybe_tmp) {
        /* Where /tmp is a mount, all files of its device are in /tmp: an unknown path, or one outside /tmp, is judged as /tmp
         * itself. */
        if (under_tmp(path))
            refused = tmp_refused(call, path, !st.st_size && (st.st_mode & S_IFMT) == S_IFREG);
        else if (path.len == 0 || (sealed->files.tmp_is_mount && st.st_dev == sealed->files.tmp.dev))
            refused = tmp_refused(call, TEXT("/tmp"), false);
    }
    if (!refused && (log || (memory && may_be_process_memory(path) && is_in_procfs(descriptor))))
        refused = self_protection_refused(call, path);
    scratch_give(scratch);
    return refused;
}

/* The path of an entry. "." and ".." name the directory itself and the one above. */
static struct text name_entry(struct text directory, struct text name, struct scratch *scratch)
{
    if (text_equal(name, TEXT(".")))
        return directory;
    if (text_equal(name, TEXT(".."))) {
        while (directory.len > 1 && directory.at[directory.len - 1] != '/')
            directory.len--;
        directory.len -= directory.len > 1;
        return directory;
    }
    struct writer w = {scratch->other, 0, sizeof scratch->other, false};
    put(&w, directory);
    if (!text_equal(directory, TEXT("/")))
        put_char(&w, '/');
    put(&w, name);
    return (struct text){scratch->other, w.used};
}

static struct text without_slashes(struct text name)
{
    while (name.len && name.at[name.len - 1] == '/')
        name.len--;
    return name;
}

/* The path of a directory's entry, in `scratch`; "/tmp" where it is unknown and may be in /tmp; empty for other places. */
static struct text path_in_tmp(int32_t directory, struct text name, struct scratch *scratch)
{
    struct stat st = {.st_dev = sealed->files.tmp.dev};
    KERNEL(fstat, directory, &st);
    name = without_slashes(name);
    /* The entry `tmp`, whose directory has another device, leads into the mount. */
    if (st.st_dev != sealed->files.tmp.dev && sealed->files.tmp_is_mount && !text_equal(name, TEXT("tmp")))
        return TEXT("");
    struct text path = path_of(directory, scratch->path, sizeof scratch->path - 1);
    bool known =
        under_tmp(path) || (path.len && !(sealed->files.tmp_is_mount && st.st_dev == sealed->files.tmp.dev));
    struct text whole = known ? name_entry(path, name, scratch) : TEXT("/tmp");
    return under_tmp(whole) ? whole : TEXT("");
}

/* The error of a call that fails by the entry's presence (do_unlinkat, do_renameat2 and filename_create of Linux's fs/namei.c);
 * 0: it does not. stat(2) tells a program the same. */
static int64_t error_by_presence(int32_t directory, struct text name, enum entry_use use)
{
    struct stat st;
    if (use == ENTRY_ANY)
        return 0;
    int64_t found = KERNEL(newfstatat, directory, name.at, &st, AT_SYMLINK_NOFOLLOW);
    if (use == ENTRY_NEEDED)
        return found == -ENOENT ? -ENOENT : 0;
    return found == 0 ? -EEXIST : 0;
}

int64_t judge_entry(const struct call *call, int32_t directory, struct text name, enum entry_use use)
{
    if (sealed->policy.modes[READ_WRITE_TMP] == MODE_ALLOW)
        return 0;
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return -EACCES;
    struct text path = path_in_tmp(directory, name, scratch);
    struct verdict verdict = {.action = ACTION_ALLOW};
    if (path.len)
        verdict = judge_tmp(call, path, true);
    int64_t result = verdict.action == ACTION_ALLOW ? 0 : error_by_presence(directory, name, use);
    if (!result && refuses(call, verdict, &(struct facts){.path = path, .allow = path}))
        result = -EACCES;
    scratch_give(scratch);
    return result;
}

bool is_in_tmp(int32_t descriptor)
{
    char path[64];
    struct stat st = {.st_dev = sealed->files.tmp.dev};
    KERNEL(fstat, descriptor, &st);
    /* The beginning of a cut path suffices. */
    return (sealed->files.tmp_is_mount && st.st_dev == sealed->files.tmp.dev) ||
           under_tmp(path_of(descriptor, path, sizeof path));
}

int32_t open_parent(int32_t directory, char *path, uint64_t resolve, struct text *name)
{
    struct text whole = text_of(path);
    uint32_t end = whole.len;
    while (end > 0 && path[end - 1] == '/')
        end--;
    uint32_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    *name = (struct text){path + start, whole.len - start};
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = resolve};
    char saved = 0;
    const char *parent = ".";
    if (whole.len && start == 0 && end == 0) { /* slashes only */
        parent = "/";
        *name = TEXT(".");
    } else if (start > 0) {
        /* Keep one slash, so that "/name" has the parent "/". */
        saved = path[start];
        path[start] = 0;
        parent = path;
    }
    int64_t result = resolve ? KERNEL(openat2, directory, parent, &how, sizeof how)
                             : KERNEL(openat, directory, parent, how.flags, 0);
    if (saved)
        path[start] = saved;
    return (int32_t)result;
}
