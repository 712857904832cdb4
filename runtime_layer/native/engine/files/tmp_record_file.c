#include "tmp_record_file.h"

#include <linux/memfd.h>

#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/protected_ranges.h"
#include "../fds/own_fds.h"
#include "../report/left_out.h"
#include "../state/child_settings.h"

#define RECORD_PATH "/tmp/.shielded-function"
#define MAGIC UINT64_C(0x31646c6569687374) /* and a version of this layout */
#define TOO_LONG "the policy is too long to be given to child processes"
enum { RECORD_SIZE = sizeof(struct tmp_record), READY_PAGES = 16 };

static bool fail(struct writer *error, const char *why)
{
    put(error, TEXT("clear_tmp: "));
    put(error, text_of(why));
    return false;
}

/* Without a name. The pages count when they are used. */
static int64_t make_nameless_file(void)
{
    int64_t file = KERNEL(memfd_create, "shield", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (is_error(file))
        return file;
    int64_t result = KERNEL(ftruncate, file, RECORD_SIZE);
    if (!is_error(result)) { /* as nobody may write to it, this is one more lock on the same door */
        KERNEL(fcntl, file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
        return file;
    }
    KERNEL(close, file);
    return result;
}

/* Where the file system has no room left, writing by a mapping would end the process: pages are written to by a call first. */
static bool reserve_first_pages(int64_t file)
{
    enum { HEAD = (RECORD_HEAD_PAGES + READY_PAGES) * PAGE };
    int64_t zeroes = KERNEL(mmap, 0, HEAD, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool well = !is_error(zeroes) && KERNEL(pwrite64, file, zeroes, HEAD, 0) == HEAD &&
                !is_error(KERNEL(ftruncate, file, RECORD_SIZE));
    if (!is_error(zeroes))
        KERNEL(munmap, zeroes, HEAD);
    return well;
}

/* With a name, by which it outlives a process that is killed. It is new: nobody else has a descriptor of it. */
static int64_t make_named_file(void)
{
    int64_t file =
        KERNEL(openat, AT_FDCWD, RECORD_PATH, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (is_error(file) || reserve_first_pages(file))
        return file;
    KERNEL(close, file);
    KERNEL(unlinkat, AT_FDCWD, RECORD_PATH, 0);
    return -ENOSPC;
}

static int64_t make_file(void)
{
    int64_t file = make_named_file();
    return is_error(file) ? make_nameless_file() : file;
}

static int64_t open_again(int64_t file, uint64_t flags)
{
    char path[48];
    path_through((int32_t)file, TEXT(""), path, sizeof path);
    return KERNEL(openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static bool is_record(int64_t file, struct stat *st)
{
    return !is_error(KERNEL(fstat, file, st)) && (st->st_mode & S_IFMT) == S_IFREG &&
           st->st_size == RECORD_SIZE;
}

static bool map_record(struct sealed *s, int64_t file)
{
    struct stat st = {0};
    if (!is_record(file, &st))
        return false;
    int64_t memory = KERNEL(mmap, 0, RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (is_error(memory) || !protect_range((uint64_t)memory, (uint64_t)memory + RECORD_SIZE))
        return false;
    s->record = (struct tmp_record *)memory;
    s->record_inode = (struct inode){st.st_dev, st.st_ino};
    return true;
}

/* The number that children inherit. */
static bool keep_file(struct sealed *s, int32_t file)
{
    char digits[12];
    struct writer number = {digits, 0, sizeof digits, false};
    put_number(&number, (uint64_t)file);
    s->record_file = file;
    return replace_setting(s, TEXT(STATE_PREFIX TMP_RECORD), (struct text){digits, number.used});
}

static bool make_record(struct sealed *s, struct writer *error)
{
    int64_t file = make_file();
    if (is_error(file))
        return fail(
            error,
            "no record can be kept: /tmp has no room for it, and memfd_create(2) or ftruncate(2) is refused");
    int64_t kept = map_record(s, file) ? own_fd_take(open_again(file, O_RDONLY)) : -ENOMEM;
    KERNEL(close, file);
    if (is_error(kept))
        return fail(error, "no record can be kept: a limit leaves no memory or descriptor for it");
    KERNEL(fcntl, kept, F_SETFD, 0);
    KERNEL(flock, kept, LOCK_EX | LOCK_NB); /* as long as the function runs: take_left_record */
    s->record->magic = MAGIC;
    fill_bytes(s->record->has_room, true, READY_PAGES);
    return keep_file(s, (int32_t)kept) || fail(error, TOO_LONG);
}

static bool join_record(struct sealed *s, int32_t inherited, struct writer *error)
{
    int64_t file = open_again(inherited, O_RDWR);
    bool well = !is_error(file) && map_record(s, file);
    if (!is_error(file))
        KERNEL(close, file);
    if (!well)
        return fail(error, "the function's record is not to be had in this child process");
    own_fd_mark(inherited);
    return keep_file(s, inherited) || fail(error, TOO_LONG);
}

/* A copy, as what another process does to the file must not end this one. */
static struct tmp_record *read_record(int64_t file)
{
    int64_t memory = KERNEL(mmap, 0, RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(memory))
        return NULL;
    struct tmp_record *record = (struct tmp_record *)memory;
    if (KERNEL(pread64, file, memory, RECORD_SIZE, 0) == RECORD_SIZE && record->magic == MAGIC)
        return record;
    KERNEL(munmap, memory, RECORD_SIZE);
    return NULL;
}

bool take_left_record(struct sealed *s)
{
    struct stat st = {0};
    int64_t file = KERNEL(openat, AT_FDCWD, RECORD_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
    if (is_error(file))
        return false;
    bool is_left = is_record(file, &st) && st.st_uid == (uint32_t)KERNEL(geteuid) &&
                   !is_error(KERNEL(flock, file, LOCK_EX | LOCK_NB));
    if (is_left)
        s->record = read_record(file);
    KERNEL(close, file);
    return is_left && s->record;
}

void drop_left_record(struct sealed *s)
{
    KERNEL(munmap, s->record, RECORD_SIZE);
    s->record = NULL;
    KERNEL(unlinkat, AT_FDCWD, RECORD_PATH, 0);
}

void drop_record_name(void)
{
    struct stat st = {0};
    KERNEL(newfstatat, AT_FDCWD, RECORD_PATH, &st, AT_SYMLINK_NOFOLLOW);
    if (st.st_ino == sealed.record_inode.ino && st.st_dev == sealed.record_inode.dev)
        KERNEL(unlinkat, AT_FDCWD, RECORD_PATH, 0);
}

bool open_record(struct sealed *s, int32_t inherited, bool is_child, struct writer *error)
{
    if (s->policy.keeps_tmp || s->record)
        return true;
    if (s->forks_workers)
        return fail(
            error,
            "this function runs several invocations at once (Lambda Managed Instances), so there is no "
            "moment at which /tmp is nobody's; leave clear_tmp out");
    if (inherited < 0 && is_child)
        return fail(error, "the parent of this process has no record");
    if (!(inherited < 0 ? make_record(s, error) : join_record(s, inherited, error)))
        return false;
    /* Of those that share a record, one may be the runtime: what is started before it asks, or is the same process. */
    bool may_be_runtime = !s->record->is_counting || s->record->runtime == (int32_t)KERNEL(getpid);
    if (may_be_runtime)
        note_left_out(inherited < 0 ? TMP_MADE : TMP_MAKERS);
    return true;
}

/* One byte, and none where that would make the file longer than it may be: the signal that says so (setrlimit(2),
 * RLIMIT_FSIZE) would end a program that expects none. */
static bool write_byte(int64_t file, uint64_t at)
{
    const uint64_t signal = UINT64_C(1) << (SIGXFSZ - 1), at_once[2] = {0, 0};
    uint64_t before;
    KERNEL(rt_sigprocmask, SIG_BLOCK, &signal, &before, sizeof before);
    int64_t result = KERNEL(pwrite64, file, "", 1, at);
    if (result == -EFBIG)
        KERNEL(rt_sigtimedwait, &signal, 0, at_once, sizeof signal);
    KERNEL(rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    return result == 1;
}

/* By the last byte of the page, which is 0 whatever is in it. */
bool reserve_page(uint32_t place)
{
    struct tmp_record *record = sealed.record;
    uint32_t page = place / MADE_A_PAGE;
    if (__atomic_load_n(&record->has_room[page], __ATOMIC_ACQUIRE))
        return true;
    int64_t file = own_fd_take(open_again(sealed.record_file, O_WRONLY));
    bool well = !is_error(file) && write_byte(file, (RECORD_HEAD_PAGES + page + 1) * PAGE - 1);
    own_fd_close(file);
    if (well)
        __atomic_store_n(&record->has_room[page], true, __ATOMIC_RELEASE);
    return well;
}
