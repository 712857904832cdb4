#include "tmp_record.h"

#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/user_memory.h"
#include "../report/left_out.h"
#include "file_verdict.h"
#include "tmp_record_places.h"

static bool is_counting(void)
{
    return sealed.record && __atomic_load_n(&sealed.record->is_counting, __ATOMIC_RELAXED);
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

/* The same of a name that lies deeper than a path can say (PATH_MAX). Eight names take half of that: the first directory above
 * whose path can be told lies deeper than any on the record. */
static bool is_far_below_made(int32_t directory)
{
    enum { FARTHEST = 512 };
    static const char up[] = "../../../../../../../..";
    struct scratch *scratch = scratch_take();
    struct text path = TEXT("");
    int64_t above = scratch ? KERNEL(openat, directory, up, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) : -ENOMEM;
    for (uint32_t i = 0; i < FARTHEST && !is_error(above) && !is_known(path); i++) {
        path = terminated_path((int32_t)above, TEXT("x"), scratch);
        int64_t next = KERNEL(openat, above, up, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        KERNEL(close, above);
        above = next;
    }
    if (!is_error(above))
        KERNEL(close, above);
    bool is_made = is_known(path) && is_below_made(path);
    if (scratch)
        scratch_give(scratch);
    return is_made;
}

/* Another process may lay something else there meanwhile, and be faster in writing it down: what is there last counts. */
static void note_made_path(int32_t directory, struct text path)
{
    enum { LOOKS = 16 };
    const char *name = base_name(path).at;
    struct made identity, again = {0};
    if (is_known(path) ? is_below_made(path) : is_far_below_made(directory))
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
    uint32_t place = claim_place_of(path);
    if (place == MADE_MAX)
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
    set_place(place);
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
    uint32_t place = claim_place_of(path);
    if (place == MADE_MAX)
        return;
    if (is_error(identify(directory, base_name(path).at, &found)))
        free_place(place);
    else
        set_place(place);
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
    enum turn turn = claim_place(place);
    if (turn == TURN_LOST)
        note_missed();
    if (turn != TURN_CLAIMED)
        return false;
    copy_bytes(made, &sealed.record->made[place], sizeof *made);
    made->path[MADE_PATH - 1] = 0;
    return true;
}

void leave_made(uint32_t place, bool stays)
{
    if (stays)
        set_place(place);
    else
        free_place(place);
}

uint32_t take_missed(void)
{
    return __atomic_exchange_n(&sealed.record->missed, 0, __ATOMIC_ACQ_REL);
}
