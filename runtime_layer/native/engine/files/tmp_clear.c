/* Deletes files created in /tmp since the function asked for its first event, before each next event, except those in
 * allow_tmp.
 *
 * A file's age is its birth time, which no call changes (statx(2), stx_btime). Where a file system has none, the last change
 * of the inode counts (stx_ctime), which no call sets either: then changed files are deleted too. The time of the first event
 * is that of a marker, a folder made just before it, so both times are of one clock. The marker outlives a killed process.
 *
 * Each directory is opened within the one above it and never through a symbolic link, from the /tmp of the start. So no name
 * leads out of /tmp. Tests: tests/integration/clear_tmp/test_attacks.py. */
#include "tmp_clear.h"

#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../base/read_file.h"
#include "../base/user_memory.h"
#include "../fds/own_fds.h"
#include "../state/process_state.h"
#include "../report/alerts.h"

#define MARKER ".shielded-function"

enum {
    LEVELS = 32,           /* directories that are open at a time */
    MOVES = 1024,          /* names that are tried for a deeper one (move_up) */
    ENTRIES_MAX = 1 << 18, /* entries read for one event */
    TICKS_MAX = 1500       /* milliseconds; the coarsest clock of a file system counts seconds */
};

struct removal {
    /* path: of the current entry, terminated; line: the entries of one directory; other: the path of the first failure */
    struct scratch *scratch;
    int64_t since; /* older files stay */
    bool keeps_marker;
    int32_t top; /* the directory in /tmp that is being cleared */
    uint32_t entries, moved;
    int64_t error; /* of the first failure */
};

/* The time of this process's first event, in nanoseconds of the file system's clock; 0: it has not asked for one. The thread
 * that asks first writes it once, by an exchange; it is all that another reads of that, so relaxed. */
static int64_t first_event;

static bool has_birth(const struct statx *st)
{
    return st->stx_mask & STATX_BTIME;
}

static int64_t nanoseconds(const struct statx_timestamp *time)
{
    return time->tv_sec * 1000000000 + time->tv_nsec;
}

static int64_t time_of(const struct statx *st)
{
    return nanoseconds(has_birth(st) ? &st->stx_btime : &st->stx_ctime);
}

static int64_t stat_entry(int32_t directory, const char *name, struct statx *st)
{
    const uint64_t fields = STATX_BASIC_STATS | STATX_BTIME;
    int64_t result = KERNEL(statx, directory, name, AT_SYMLINK_NOFOLLOW, fields, st);
    if (result == -EACCES) { /* the function's code removed rights */
        KERNEL(fchmod, directory, 0700);
        result = KERNEL(statx, directory, name, AT_SYMLINK_NOFOLLOW, fields, st);
    }
    return result;
}

/* Restores rights that the function's code removed to keep a file. */
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

/* Moves a folder that is too deep up to r->top, where it is cleared later. */
static int64_t move_up(struct removal *r, int32_t directory, const char *name)
{
    char free_name[32];
    int64_t result = -EEXIST;
    for (uint32_t i = 0; i < MOVES && (result == -EEXIST || result == -ENOTEMPTY || result == -ENOTDIR);
         i++) {
        struct writer w = {free_name, 0, sizeof free_name, false};
        put_words(&w, ".shield-clear-");
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

/* An entry that was deleted or replaced meanwhile, or a folder with an entry that stays, is no failure. */
static bool is_failure(int64_t result)
{
    return is_error(result) && result != -ENOENT && result != -ENOTDIR && result != -ELOOP &&
           result != -ENOTEMPTY && result != -EEXIST;
}

static void record_failure(struct removal *r, int64_t error)
{
    if (r->error)
        return;
    r->error = error;
    copy_bytes(r->scratch->other, r->scratch->path, sizeof r->scratch->path);
}

static void clear_folder(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level, bool all);

/* `level`: the folder's depth; that of /tmp is 0. `all`: deletes entries of any age. */
static int64_t clear_within(struct removal *r, int32_t directory, const char *name, uint32_t path_len,
                            uint32_t level, bool all)
{
    enum { NAME_LONGEST = 255 };
    if (level == LEVELS || path_len + 1 + NAME_LONGEST >= sizeof r->scratch->path)
        return -ENAMETOOLONG;
    int64_t folder = open_folder(directory, name);
    if (is_error(folder))
        return folder;
    if (level == 1)
        r->top = (int32_t)folder;
    r->entries++;
    clear_folder(r, (int32_t)folder, path_len, level, all);
    r->scratch->path[path_len] = 0;
    own_fd_close(folder);
    return 0;
}

/* An invocation has put all entries into a new folder, also older ones. A folder that was only changed keeps older entries. */
static int64_t remove_entry(struct removal *r, int32_t directory, const char *name, uint32_t path_len,
                            uint32_t level, const struct statx *st)
{
    if ((st->stx_mode & S_IFMT) != S_IFDIR)
        return unlink_entry(directory, name, 0);
    int64_t result = unlink_entry(directory, name, AT_REMOVEDIR);
    if (result != -ENOTEMPTY && result != -EEXIST)
        return result;
    result = clear_within(r, directory, name, path_len, level, has_birth(st));
    if (result == -ENAMETOOLONG)
        return move_up(r, directory, name);
    return is_error(result) ? result : unlink_entry(directory, name, AT_REMOVEDIR);
}

/* Whether it is a mark for the platform, which must be empty: without reserved blocks, without attributes of it or its folder. */
static bool is_empty_mark(int32_t directory, const char *name, struct text path, const struct statx *st)
{
    char through[64];
    return (st->stx_mode & S_IFMT) == S_IFREG && !st->stx_size && !st->stx_blocks &&
           KERNEL(flistxattr, directory, 0, 0) <= 0 && language_needs_tmp(LANGUAGE_OTHER, path, TMP_EMPTY) &&
           path_through(directory, text_of(name), through, sizeof through) &&
           KERNEL(llistxattr, through, 0, 0) <= 0;
}

/* Whether it is a folder without folders, to which no name was added since the first event. */
static bool is_unchanged(const struct removal *r, const struct statx *st)
{
    return has_birth(st) && st->stx_nlink == 2 && nanoseconds(&st->stx_ctime) < r->since;
}

/* Clears an entry of the folder whose path is in r->scratch. A mount is skipped, as a function cannot make one. True: the entry
 * was removed. */
static bool clear_entry(struct removal *r, int32_t folder, uint32_t path_len, const char *name,
                        uint32_t level, bool all)
{
    struct statx st = {0};
    struct writer w = {r->scratch->path, path_len, sizeof r->scratch->path, false};
    put_char(&w, '/');
    put_words(&w, name);
    put_char(&w, 0);
    struct text path = {w.at, w.used - 1};
    name = w.at + path_len + 1;
    int64_t result = stat_entry(folder, name, &st);
    if (is_error(result) || st.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
        if (is_failure(result))
            record_failure(r, result);
        return false;
    }
    bool is_new = all || time_of(&st) >= r->since, is_folder = (st.stx_mode & S_IFMT) == S_IFDIR;
    bool stays = !is_new || is_listed_tmp(&sealed->policy, path) || is_empty_mark(folder, name, path, &st) ||
                 (r->keeps_marker && is_folder && text_equal(path, TEXT("/tmp/" MARKER)));
    if (!stays) {
        result = remove_entry(r, folder, name, path.len, level, &st);
        stays = is_error(result);
    } else if (is_folder && !is_all_listed_tmp(&sealed->policy, path) && (is_new || !is_unchanged(r, &st))) {
        result = clear_within(r, folder, name, path.len, level, is_new && has_birth(&st));
        if (result == -EACCES) /* another user's folder, in which the function can create nothing */
            return false;
    }
    if (is_failure(result))
        record_failure(r, result);
    return !stays;
}

/* Clears a folder's entries. A folder among them overwrites the names in r->scratch, so reading continues behind it. True: an
 * entry was removed. */
static bool clear_entries(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level, bool all)
{
    char *names = r->scratch->line;
    bool removes = false;
    int64_t n;
    while ((n = KERNEL(getdents64, folder, names, sizeof r->scratch->line)) > 0)
        for (int64_t at = 0; at < n;) {
            const struct entry *entry = (const struct entry *)(names + at);
            uint64_t next = entry->offset;
            uint32_t before = r->entries;
            at += entry->len;
            if (text_equal(text_of(entry->name), TEXT(".")) || text_equal(text_of(entry->name), TEXT("..")))
                continue;
            if (r->entries++ >= ENTRIES_MAX) {
                record_failure(r, -E2BIG);
                return false;
            }
            removes |= clear_entry(r, folder, path_len, entry->name, level + 1, all);
            if (r->entries - before > 1) {
                KERNEL(lseek, folder, next, 0);
                break;
            }
        }
    return removes;
}

/* Repeats until no entry is removed, as reading a directory that changes may skip entries (readdir(3)). */
static void clear_folder(struct removal *r, int32_t folder, uint32_t path_len, uint32_t level, bool all)
{
    uint32_t moved;
    do {
        moved = r->moved;
        KERNEL(lseek, folder, 0, 0);
    } while (clear_entries(r, folder, path_len, level, all) || r->moved != moved);
}

/* Opens the /tmp of the start, first as a reference, which needs no right to read it. */
static int32_t open_tmp(void)
{
    char path[48];
    int64_t reference =
        own_fd_take(KERNEL(openat, AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
    int64_t tmp = is_error(reference) ? reference : -ENOENT;
    if (!is_error(reference) && same_inode(inode_of(reference), sealed->files.tmp)) {
        path_through((int32_t)reference, TEXT(""), path, sizeof path);
        tmp = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (tmp == -EACCES && !is_error(KERNEL(fchmodat, AT_FDCWD, path, 0700)))
            tmp = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        tmp = own_fd_take(tmp);
    }
    own_fd_close(reference);
    return (int32_t)tmp;
}

static void report_first_failure(const struct removal *r)
{
    char why[64];
    struct writer w = {why, 0, sizeof why, false};
    put_words(&w, "could not be removed, and maybe others: errno ");
    put_number(&w, (uint64_t)-r->error);
    report_not_cleared((struct text){why, w.used}, text_of(r->scratch->other));
}

static void remove_since(int32_t tmp, int64_t since, bool keeps_marker)
{
    struct removal r = {.scratch = scratch_take(), .since = since, .keeps_marker = keeps_marker};
    if (!r.scratch) {
        report_not_cleared(TEXT("out of memory"), TEXT(""));
        return;
    }
    struct writer w = {r.scratch->path, 0, sizeof r.scratch->path, false};
    put_words(&w, "/tmp");
    r.scratch->path[w.used] = 0;
    if (tmp < 0)
        record_failure(&r, tmp);
    else
        clear_folder(&r, tmp, w.used, 0, false);
    if (r.error)
        report_first_failure(&r);
    scratch_give(r.scratch);
}

/* The time of the marker; 0: there is none. */
static int64_t time_of_marker(int32_t tmp)
{
    struct statx st = {0};
    return is_error(stat_entry(tmp, MARKER, &st)) ? 0 : time_of(&st);
}

/* Makes the marker, a folder, as that holds no data. Returns its time; 0: it cannot be made. */
static int64_t renew_marker(int32_t tmp)
{
    KERNEL(unlinkat, tmp, MARKER, AT_REMOVEDIR);
    return is_error(KERNEL(mkdirat, tmp, MARKER, 0700)) ? 0 : time_of_marker(tmp);
}

/* Makes the marker in a later tick of the file system's clock, so that existing files are older. Without a marker, files of the
 * current second are deleted too. */
static int64_t mark_first_event(int32_t tmp)
{
    const uint64_t millisecond[2] = {0, 1000000};
    int64_t last = renew_marker(tmp), now = last;
    for (uint32_t i = 0; last && now == last && i < TICKS_MAX; i++) {
        KERNEL(nanosleep, millisecond, 0);
        now = renew_marker(tmp);
    }
    uint64_t clock[2] = {0, 0};
    if (!now)
        KERNEL(clock_gettime, CLOCK_REALTIME, clock);
    return now ? now : (int64_t)clock[0] * 1000000000;
}

/* A program that asks for one event (curl, in a shell's loop) finds the marker of the program that asked first. */
void clear_tmp(void)
{
    if (sealed->policy.keeps_tmp)
        return;
    int32_t tmp = open_tmp();
    int64_t none = 0, first = __atomic_load_n(&first_event, __ATOMIC_RELAXED),
            known = first ? first : time_of_marker(tmp);
    if (known)
        remove_since(tmp, known, true);
    else
        known = mark_first_event(tmp);
    if (!first)
        __atomic_compare_exchange_n(&first_event, &none, known, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    own_fd_close(tmp);
}

void watch_tmp(bool is_first, bool by_code)
{
    if (sealed->policy.keeps_tmp)
        return;
    watch_next_event(WATCH_EACH_EVENT);
    if (!is_first)
        return;
    int32_t tmp = open_tmp();
    if (by_code)
        KERNEL(unlinkat, tmp, MARKER, AT_REMOVEDIR);
    int64_t left = time_of_marker(tmp);
    if (left)
        remove_since(tmp, left, false);
    own_fd_close(tmp);
}

bool can_clear_tmp(const struct sealed *s, struct writer *error)
{
    bool can = s->policy.keeps_tmp || !s->process.forks_workers;
    if (!can)
        put_words(error,
                  "clear_tmp: this function runs several invocations at once (Lambda Managed Instances), so "
                  "/tmp is always in use; leave clear_tmp out");
    return can;
}

struct text times_of_tmp(void)
{
    struct statx st = {0};
    if (sealed->policy.keeps_tmp)
        return TEXT("");
    int32_t tmp = open_tmp();
    if (is_error(stat_entry(tmp, MARKER, &st))) {
        KERNEL(mkdirat, tmp, MARKER, 0700);
        stat_entry(tmp, MARKER, &st);
        KERNEL(unlinkat, tmp, MARKER, AT_REMOVEDIR);
    }
    own_fd_close(tmp);
    return has_birth(&st) ? TEXT("birth") : TEXT("change");
}
