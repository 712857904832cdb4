#include "tmp_record.h"

#include <linux/memfd.h>

#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/protected_ranges.h"
#include "../base/user_memory.h"
#include "../fds/own_fds.h"
#include "../report/left_out.h"
#include "../state/child_settings.h"
#include "file_verdict.h"

/* A place's state. Any higher number is the hash of the path in it. */
enum { FREE, BEING_WRITTEN, HASHES };

enum {
    A_PAGE = PAGE / sizeof(struct made),
    MADE_PAGES = MADE_MAX / A_PAGE,
    HEAD_PAGES = 5,
    READY_PAGES = 16
};

/* Places are looked for from the first on, by what they are for. Whoever is killed in the midst of writing loses that place
 * and no other. */
struct tmp_record {
    uint64_t magic;
    uint32_t is_counting; /* the function asked for its first event: what is made now is an invocation's */
    int32_t runtime;      /* the process that did */
    uint32_t missed;
    uint32_t used; /* no place from here on was ever */
    uint32_t places[MADE_MAX];
    uint8_t has_room[MADE_PAGES]; /* on the file system */
    struct made made[MADE_MAX] __attribute__((aligned(4096)));
};
enum { RECORD_SIZE = sizeof(struct tmp_record), ATTEMPTS = 64 };
_Static_assert(sizeof(struct made) * A_PAGE == PAGE && offsetof(struct tmp_record, made) == HEAD_PAGES * PAGE,
               "pages of the record");
#define RECORD_PATH "/tmp/.shielded-function"
#define MAGIC UINT64_C(0x31646c6569687374) /* and a version of this layout */
#define TOO_LONG "the policy is too long to be given to child processes"

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
    enum { HEAD = (HEAD_PAGES + READY_PAGES) * PAGE };
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

static bool is_counting(void)
{
    return sealed.record && __atomic_load_n(&sealed.record->is_counting, __ATOMIC_RELAXED);
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

void note_maker(void)
{
    if (sealed.record)
        note_left_out(TMP_MAKERS);
}

static void note_missed(void)
{
    __atomic_add_fetch(&sealed.record->missed, 1, __ATOMIC_RELAXED);
    note_left_out(TMP_MADE);
}

/* FNV-1a */
enum { HASH_BEGIN = 0x811c9dc5, HASH_PRIME = 0x01000193 };
static uint32_t hash_more(uint32_t hash, char c)
{
    return (hash ^ (uint8_t)c) * HASH_PRIME;
}

static uint32_t hash_end(uint32_t hash)
{
    return hash < HASHES ? hash + HASHES : hash;
}

static uint32_t hash_of(struct text path)
{
    uint32_t hash = HASH_BEGIN;
    for (uint32_t i = 0; i < path.len; i++)
        hash = hash_more(hash, path.at[i]);
    return hash_end(hash);
}

/* Its place; MADE_MAX: it is not on the record. `room`: the first place that could take it, or MADE_MAX. */
static uint32_t find_place(struct text path, uint32_t hash, uint32_t *room)
{
    struct tmp_record *record = sealed.record;
    uint32_t used = __atomic_load_n(&record->used, __ATOMIC_ACQUIRE);
    *room = MADE_MAX;
    for (uint32_t place = 0; place < used && place < MADE_MAX; place++) {
        uint32_t state = __atomic_load_n(&record->places[place], __ATOMIC_ACQUIRE);
        if (state == FREE && *room == MADE_MAX)
            *room = place;
        if (state == hash && text_equal(path, text_of(record->made[place].path)))
            return place;
    }
    if (*room == MADE_MAX && used < MADE_MAX)
        *room = used;
    return MADE_MAX;
}

static bool claim_place(uint32_t place, uint32_t seen)
{
    return __atomic_compare_exchange_n(&sealed.record->places[place], &seen, BEING_WRITTEN, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void set_place(uint32_t place, uint32_t state)
{
    __atomic_store_n(&sealed.record->places[place], state, __ATOMIC_RELEASE);
}

/* Of a place that was claimed. A name can be a user's too: it does not stay readable. */
static void free_place(uint32_t place)
{
    fill_bytes(&sealed.record->made[place], 0, sizeof sealed.record->made[place]);
    set_place(place, FREE);
}

/* Before it is claimed, so that it is not looked for behind what counts. */
static void note_used(uint32_t place)
{
    uint32_t *used = &sealed.record->used, seen = __atomic_load_n(used, __ATOMIC_RELAXED);
    while (seen <= place &&
           !__atomic_compare_exchange_n(used, &seen, place + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
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
static bool reserve_page(uint32_t place)
{
    struct tmp_record *record = sealed.record;
    uint32_t page = place / A_PAGE;
    if (__atomic_load_n(&record->has_room[page], __ATOMIC_ACQUIRE))
        return true;
    int64_t file = own_fd_take(open_again(sealed.record_file, O_WRONLY));
    bool well = !is_error(file) && write_byte(file, (HEAD_PAGES + page + 1) * PAGE - 1);
    own_fd_close(file);
    if (well)
        __atomic_store_n(&record->has_room[page], true, __ATOMIC_RELEASE);
    return well;
}

/* Others may take a place that was just found: it is looked for again. */
static bool put_on_record(struct text path, const struct made *identity, bool is_expected)
{
    uint32_t hash = hash_of(path);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        uint32_t room, place = find_place(path, hash, &room);
        bool is_known = place != MADE_MAX;
        if (!is_known)
            place = room;
        if (place == MADE_MAX || !reserve_page(place))
            return false;
        note_used(place);
        if (!claim_place(place, is_known ? hash : FREE))
            continue;
        struct made *made = &sealed.record->made[place];
        /* Of a name that is known, the old and the new are both the function's. */
        bool is_any = is_expected && is_known;
        made->ino = is_any ? 0 : identity->ino;
        made->born = is_any ? 0 : identity->born | (is_expected ? BORN_PENDING : 0);
        copy_bytes(made->path, path.at, path.len);
        made->path[path.len] = 0;
        set_place(place, hash);
        return true;
    }
    return false;
}

/* Is a directory above it on the record? It stands for all that is in it. */
static bool is_below_made(struct text path)
{
    uint32_t hash = HASH_BEGIN, room;
    for (uint32_t i = 0; i < path.len; i++) {
        if (path.at[i] == '/' && i > sizeof "/tmp" - 1 &&
            find_place((struct text){path.at, i}, hash_end(hash), &room) != MADE_MAX)
            return true;
        hash = hash_more(hash, path.at[i]);
    }
    return false;
}

int64_t identify(int32_t directory, const char *name, struct made *made)
{
    struct statx st = {0};
    int64_t result =
        KERNEL(statx, directory, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &st);
    made->ino = st.stx_ino;
    made->born = (uint64_t)st.stx_btime.tv_sec << 30 | st.stx_btime.tv_nsec;
    if ((st.stx_mode & S_IFMT) == S_IFDIR)
        made->born |= BORN_FOLDER;
    return result;
}

/* The entry's path, in `scratch` and terminated; empty when it is not in /tmp. Where it cannot be told, it is "/tmp". */
static struct text terminated_path(int32_t directory, struct text name, struct scratch *scratch)
{
    struct text path = path_in_tmp(directory, name, scratch);
    if (path.len >= sizeof scratch->link)
        return TEXT("/tmp");
    copy_bytes(scratch->link, path.at, path.len);
    scratch->link[path.len] = 0;
    return (struct text){scratch->link, path.len};
}

static bool is_known(struct text path)
{
    return path.len > sizeof "/tmp/" - 1;
}

static bool is_same(const struct made *a, const struct made *b)
{
    return a->ino == b->ino && (a->born & ~BORN_PENDING) == (b->born & ~BORN_PENDING);
}

static void note_gone_path(int32_t directory, struct text path);

/* Another process may lay something else there meanwhile, and be faster in writing it down: what is there last counts. */
static void note_made_path(int32_t directory, struct text path)
{
    enum { LOOKS = 16 };
    const char *name = base_name(path).at;
    struct made identity, again = {0};
    if (is_known(path) && is_below_made(path))
        return;
    int64_t error = identify(directory, name, &identity);
    /* In a directory that is listed there may be what is not. */
    if (is_known(path) && is_listed_tmp(&sealed.policy, path) && !(identity.born & BORN_FOLDER))
        return;
    bool well = is_known(path) && path.len < MADE_PATH;
    for (uint32_t looks = 0; well && !error && looks < LOOKS && !is_same(&identity, &again); looks++) {
        again = identity;
        well = put_on_record(path, &identity, false);
        error = identify(directory, name, &identity);
    }
    if (!well)
        note_missed();
    else if (error)
        note_gone_path(directory, path);
    else
        note_left_out(TMP_MADE);
}

static void expect_path(int32_t directory, struct text path)
{
    struct made before;
    bool has_place = is_known(path) && path.len < MADE_PATH && !is_listed_tmp(&sealed.policy, path);
    if (!has_place || is_below_made(path))
        return;
    identify(directory, base_name(path).at, &before);
    if (put_on_record(path, &before, true))
        note_left_out(TMP_MADE);
}

/* What came there meanwhile is another process's: it says so itself. */
static void forget_expected_path(int32_t directory, struct text path)
{
    struct made found;
    uint32_t hash = hash_of(path), room, place = find_place(path, hash, &room);
    if (place == MADE_MAX || !claim_place(place, hash))
        return;
    struct made *made = &sealed.record->made[place];
    bool is_there = !is_error(identify(directory, base_name(path).at, &found));
    if (!is_there || (made->born & BORN_PENDING && is_same(made, &found))) {
        free_place(place);
        return;
    }
    if (!made->ino && !made->born) {
        made->ino = found.ino;
        made->born = found.born;
    }
    set_place(place, hash);
}

/* Does something with the entry's path, if that is in /tmp. False: there is no memory to find out. */
static bool with_path(int32_t directory, struct text name, void (*note)(int32_t directory, struct text path))
{
    if (!is_counting())
        return true;
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return false;
    struct text path = terminated_path(directory, name, scratch);
    if (path.len)
        note(directory, path);
    scratch_give(scratch);
    return true;
}

void expect_made(int32_t directory, struct text name)
{
    with_path(directory, name, expect_path);
}

void note_made(int32_t directory, struct text name)
{
    if (!with_path(directory, name, note_made_path))
        note_missed();
}

void note_not_made(int32_t directory, struct text name)
{
    with_path(directory, name, forget_expected_path);
}

/* Another thread or process may have made it anew: if not yet, it finds this place taken, and uses another. */
static void note_gone_path(int32_t directory, struct text path)
{
    struct made found;
    uint32_t hash = hash_of(path), room, place = find_place(path, hash, &room);
    if (place == MADE_MAX || !claim_place(place, hash))
        return;
    if (is_error(identify(directory, base_name(path).at, &found)))
        free_place(place);
    else
        set_place(place, hash);
}

/* Without memory it stays on the record, and is not found there when its time comes. */
void note_gone(int32_t directory, struct text name)
{
    with_path(directory, name, note_gone_path);
}

bool begin_counting(void)
{
    struct tmp_record *record = sealed.record;
    if (!record)
        return false;
    record->runtime = (int32_t)KERNEL(getpid);
    return __atomic_exchange_n(&record->is_counting, 1, __ATOMIC_ACQ_REL);
}

bool is_counting_process(void)
{
    return is_counting() && sealed.record->runtime == (int32_t)KERNEL(getpid);
}

bool take_made(uint32_t place, struct made *made)
{
    const uint64_t millisecond[2] = {0, 1000000};
    uint32_t hash = __atomic_load_n(&sealed.record->places[place], __ATOMIC_ACQUIRE);
    if (hash == BEING_WRITTEN) {
        KERNEL(nanosleep, millisecond, 0);
        hash = __atomic_load_n(&sealed.record->places[place], __ATOMIC_ACQUIRE);
    }
    if (hash == BEING_WRITTEN) { /* whoever wrote was killed */
        free_place(place);
        note_missed();
    }
    if (hash < HASHES || !claim_place(place, hash))
        return false;
    copy_bytes(made, &sealed.record->made[place], sizeof *made);
    made->path[MADE_PATH - 1] = 0;
    return true;
}

void leave_made(uint32_t place, const struct made *made, bool stays)
{
    if (stays)
        set_place(place, hash_of(text_of(made->path)));
    else
        free_place(place);
}

uint32_t take_missed(void)
{
    return __atomic_exchange_n(&sealed.record->missed, 0, __ATOMIC_ACQ_REL);
}
