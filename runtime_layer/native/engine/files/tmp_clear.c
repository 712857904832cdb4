/* What was made is removed by way of its directories, each opened within the one above it and never through a symbolic link,
 * beginning at the /tmp of the start. So no name can lead out of /tmp.
 */
#include "tmp_clear.h"

#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/user_memory.h"
#include "../fds/own_fds.h"
#include "../report/alerts.h"
#include "../report/left_out.h"
#include "../state/process_state.h"
#include "tmp_record.h"
#include "tmp_record_file.h"

enum {
    LEVELS = 16,          /* directories that are open at a time */
    MOVES = 1024,         /* names that are tried for one that lies deeper */
    ENTRIES_MAX = 1 << 18 /* that are looked at for one event */
};

/* struct linux_dirent64 (getdents64(2)) */
struct entry {
    uint64_t ino;
    int64_t offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

struct removal {
    struct scratch *scratch; /* path: what is being removed, terminated; line: the entries of one directory */
    int32_t tmp;             /* /tmp itself */
    int32_t top;             /* the directory of the record whose content is being removed */
    uint32_t entries, done, moved;
    bool is_kept; /* something of it is on allow_tmp */
    int64_t error;
    uint32_t failed; /* names that stay, and the first of them */
    struct made first;
};

static bool is_gone(int64_t error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

/* A directory that something stays in. */
static bool is_due_to_kept(const struct removal *r, int64_t error)
{
    return r->is_kept && (error == -ENOTEMPTY || error == -EEXIST);
}

/* What the function's code took from itself to keep a file. */
static void give_rights(int32_t directory, const char *name)
{
    char path[48];
    KERNEL(fchmod, directory, 0700);
    int64_t entry =
        own_fd_take(KERNEL(openat, directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
    if (is_error(entry))
        return;
    path_through((int32_t)entry, TEXT(""), path, sizeof path);
    KERNEL(fchmodat, AT_FDCWD, path, 0700);
    own_fd_close(entry);
}

static int64_t open_folder(int32_t directory, const char *name)
{
    const uint64_t flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int64_t folder = KERNEL(openat, directory, name, flags, 0);
    if (folder == -EACCES) {
        give_rights(directory, name);
        folder = KERNEL(openat, directory, name, flags, 0);
    }
    return own_fd_take(folder);
}

static int64_t unlink_entry(int32_t directory, const char *name, uint64_t flags)
{
    int64_t result = KERNEL(unlinkat, directory, name, flags);
    if (result == -EACCES) {
        KERNEL(fchmod, directory, 0700);
        result = KERNEL(unlinkat, directory, name, flags);
    }
    return result;
}

/* What lies too deep is emptied further up, later. */
static int64_t move_up(struct removal *r, int32_t directory, const char *name)
{
    char free_name[32];
    int64_t result = -EEXIST;
    for (uint32_t i = 0; i < MOVES && (result == -EEXIST || result == -ENOTEMPTY || result == -ENOTDIR);
         i++) {
        struct writer w = {free_name, 0, sizeof free_name, false};
        put(&w, TEXT(".shield-clear-"));
        put_number(&w, r->moved++);
        put_char(&w, 0);
        result = KERNEL(renameat2, directory, name, r->top, free_name, 0);
        if (result == -EACCES) {
            give_rights(directory, name);
            result = KERNEL(renameat2, directory, name, r->top, free_name, 0);
        }
    }
    return result;
}

static void empty_folder(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level);

static bool is_too_deep(const struct removal *r, uint32_t path_len, uint32_t level)
{
    enum { NAME_LONGEST = 255 };
    return level == LEVELS || path_len + 1 + NAME_LONGEST >= sizeof r->scratch->path;
}

/* `path_len`: of its path, in r->scratch. */
static int64_t empty_entry(struct removal *r, int32_t directory, const char *name, uint32_t path_len,
                           uint32_t level)
{
    int64_t folder = open_folder(directory, name);
    if (is_error(folder))
        return folder;
    if (level == 0)
        r->top = (int32_t)folder;
    empty_folder(r, (int32_t)folder, path_len, level + 1);
    r->scratch->path[path_len] = 0;
    own_fd_close(folder);
    return 0;
}

static int64_t remove_entry(struct removal *r, int32_t directory, const char *name, uint32_t path_len,
                            uint32_t level)
{
    int64_t result = unlink_entry(directory, name, 0);
    if (result != -EISDIR && result != -EPERM)
        return result;
    result = unlink_entry(directory, name, AT_REMOVEDIR);
    if (result != -ENOTEMPTY && result != -EEXIST)
        return result;
    if (is_too_deep(r, path_len, level))
        return move_up(r, directory, name);
    result = empty_entry(r, directory, name, path_len, level);
    return is_error(result) ? result : unlink_entry(directory, name, AT_REMOVEDIR);
}

/* Does the list name whatever may be below? As `**` does: it takes a name that nobody gives. */
static bool is_all_listed(struct removal *r, uint32_t path_len)
{
    struct writer w = {r->scratch->path, path_len, sizeof r->scratch->path, false};
    put(&w, TEXT("/\001/\001"));
    r->scratch->path[path_len] = 0;
    return !w.full && is_listed_tmp(&sealed.policy, (struct text){w.at, w.used});
}

/* What is in a directory that a list names has to be named too. */
static int64_t keep_entry(struct removal *r, int32_t directory, const char *name, uint32_t path_len,
                          uint32_t level)
{
    r->is_kept = true;
    if (is_too_deep(r, path_len, level))
        return is_all_listed(r, path_len) ? 0 : -ENAMETOOLONG;
    int64_t result = empty_entry(r, directory, name, path_len, level);
    return result == -ENOTDIR || result == -ELOOP ? -ENOENT : result;
}

/* What allow_tmp lists; and a mark for the platform, as long as it holds nothing. */
static bool is_to_stay(int32_t directory, const char *name, struct text path)
{
    struct stat st = {0};
    return is_listed_tmp(&sealed.policy, path) ||
           (language_needs_tmp(LANGUAGE_OTHER, path, TMP_EMPTY) &&
            !is_error(KERNEL(newfstatat, directory, name, &st, AT_SYMLINK_NOFOLLOW)) &&
            (st.st_mode & S_IFMT) == S_IFREG && !st.st_size);
}

/* One entry of a folder whose path is in r->scratch. */
static void remove_within(struct removal *r, int32_t folder, uint32_t path_len, const struct entry *entry,
                          uint32_t level)
{
    char *path = r->scratch->path;
    struct writer w = {path, path_len, sizeof r->scratch->path, false};
    put_char(&w, '/');
    put(&w, text_of(entry->name));
    put_char(&w, 0);
    const char *entry_name = path + path_len + 1;
    if (is_to_stay(folder, entry_name, (struct text){path, w.used - 1})) {
        int64_t result = keep_entry(r, folder, entry_name, w.used - 1, level);
        if (is_error(result) && result != -ENOENT && !r->error)
            r->error = result;
        return;
    }
    int64_t result = remove_entry(r, folder, entry_name, w.used - 1, level);
    if (!is_error(result))
        r->done++;
    else if (!r->error && result != -ENOENT && !is_due_to_kept(r, result))
        r->error = result;
}

/* Where it was emptied below an entry, r->scratch holds others' names: the folder is read on from there. */
static void remove_entries(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level)
{
    char *names = r->scratch->line;
    int64_t n;
    while ((n = KERNEL(getdents64, folder, names, sizeof r->scratch->line)) > 0)
        for (int64_t at = 0; at < n;) {
            const struct entry *entry = (const struct entry *)(names + at);
            int64_t next = entry->offset;
            uint32_t before = r->entries;
            at += entry->len;
            if (text_equal(text_of(entry->name), TEXT(".")) || text_equal(text_of(entry->name), TEXT("..")))
                continue;
            if (r->entries == ENTRIES_MAX) {
                r->error = -E2BIG;
                return;
            }
            r->entries++;
            remove_within(r, folder, path_len, entry, level);
            if (r->entries - before > 1) {
                KERNEL(lseek, folder, next, 0);
                break;
            }
        }
}

/* A directory that changes may be read with gaps (readdir(3)): once more, as long as that removes something. */
static void empty_folder(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level)
{
    uint32_t before;
    do {
        before = r->done;
        KERNEL(lseek, folder, 0, 0);
        remove_entries(r, folder, path_len, level);
    } while (r->done != before && r->error != -E2BIG);
}

/* In the directory that it is in, by now open. */
static int64_t remove_identified(struct removal *r, int32_t directory, const char *name,
                                 const struct made *made)
{
    struct made found;
    int64_t result = identify(directory, name, &found);
    bool is_same = made->ino == found.ino && (made->born & ~BORN_PENDING) == found.born;
    bool is_pending = made->born & BORN_PENDING;
    if (is_gone(result) || (made->ino && !is_error(result) && is_same == is_pending))
        return 0; /* somebody else's, in its place, or before it */
    struct text path = text_of(made->path);
    const char *name_within = r->scratch->path + (name - r->scratch->other);
    copy_bytes(r->scratch->path, path.at, path.len + 1);
    r->is_kept = false;
    r->error = 0;
    result = is_to_stay(directory, name, path) ? keep_entry(r, directory, name_within, path.len, 0)
                                               : remove_entry(r, directory, name_within, path.len, 0);
    if (r->error)
        return r->error;
    return is_gone(result) || is_due_to_kept(r, result) ? 0 : result;
}

/* 0: it is gone, or not to go. */
static int64_t remove_made(struct removal *r, const struct made *made)
{
    struct text rest = text_of(made->path), name;
    int64_t directory = r->tmp, next, result = 0;
    if (!text_starts(rest, TEXT("/tmp/"))) /* nobody's record but one that was left could say so */
        return 0;
    /* The names, each terminated, at the same places as in the path. */
    char *names = r->scratch->other;
    copy_bytes(names, rest.at, rest.len + 1);
    rest = (struct text){names + sizeof "/tmp", rest.len - (uint32_t)sizeof "/tmp"};
    while (text_next(&rest, '/', &name)) {
        if (!name.len || text_equal(name, TEXT(".")) || text_equal(name, TEXT("..")))
            break;
        if (!rest.at) {
            result = remove_identified(r, (int32_t)directory, name.at, made);
            break;
        }
        names[name.at - names + name.len] = 0;
        next = open_folder((int32_t)directory, name.at);
        if (directory != r->tmp)
            own_fd_close(directory);
        directory = next;
        if (is_error(directory)) {
            result = is_gone(directory) ? 0 : directory;
            break;
        }
    }
    if (directory != r->tmp)
        own_fd_close(directory);
    return result;
}

static void report_left(const struct removal *r)
{
    char why[128];
    struct writer w = {why, 0, sizeof why, false};
    put_number(&w, r->failed);
    put(&w, TEXT(" could not be removed, of which this is the first: errno "));
    put_number(&w, (uint64_t)-r->error);
    report_not_cleared((struct text){why, w.used}, text_of(r->first.path));
}

static void report_missed(uint32_t missed)
{
    char why[128];
    struct writer w = {why, 0, sizeof why, false};
    put_number(&w, missed);
    put(&w, TEXT(" could not be written down, and may stay"));
    report_not_cleared((struct text){why, w.used}, TEXT(""));
}

static bool is_tmp_of_start(int64_t directory)
{
    struct stat st = {0};
    KERNEL(fstat, directory, &st);
    return st.st_dev == sealed.tmp.dev && st.st_ino == sealed.tmp.ino;
}

/* The /tmp of the start. First as a reference, which needs no right to read it. */
static int64_t open_tmp(void)
{
    char path[48];
    int64_t reference =
        own_fd_take(KERNEL(openat, AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
    int64_t tmp = is_error(reference) ? reference : -ENOENT;
    if (!is_error(reference) && is_tmp_of_start(reference)) {
        path_through((int32_t)reference, TEXT(""), path, sizeof path);
        tmp = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (tmp == -EACCES && !is_error(KERNEL(fchmodat, AT_FDCWD, path, 0700)))
            tmp = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        tmp = own_fd_take(tmp);
    }
    own_fd_close(reference);
    return tmp;
}

static void remove_all(struct removal *r)
{
    int64_t first_error = 0;
    for (uint32_t place = 0; place < MADE_MAX; place++) {
        struct made made;
        if (!take_made(place, &made))
            continue;
        int64_t error = r->tmp < 0 ? r->tmp : remove_made(r, &made);
        leave_made(place, error);
        if (error && !r->failed++) {
            r->first = made;
            first_error = error;
        }
    }
    r->error = first_error;
}

/* False: something stays. */
static bool remove_what_was_made(void)
{
    struct removal r = {.scratch = scratch_take()};
    uint32_t missed;
    if (!r.scratch) {
        note_left_out(TMP_MADE);
        report_not_cleared(TEXT("there is no memory to remove anything with"), TEXT(""));
        return false;
    }
    forget_left_out(TMP_MADE); /* what is made meanwhile says so again */
    r.tmp = (int32_t)open_tmp();
    remove_all(&r);
    own_fd_close(r.tmp);
    scratch_give(r.scratch);
    if (r.failed) {
        note_left_out(TMP_MADE);
        report_left(&r);
    }
    if ((missed = take_missed()))
        report_missed(missed);
    return !r.failed;
}

void clear_tmp(void)
{
    bool is_first = !begin_counting();
    if (is_first)
        forget_left_out(TMP_MADE);
    else
        remove_what_was_made();
}

void clear_tmp_at_end(void)
{
    if (is_counting_process() && remove_what_was_made())
        drop_record_name();
}

void clear_what_was_left(void)
{
    if (sealed.policy.keeps_tmp || !take_left_record(&sealed))
        return;
    remove_what_was_made();
    drop_left_record(&sealed);
}
