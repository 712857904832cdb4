#include "sealed_pages.h"

#include "../report/alerts.h"
#include "process_state.h"
#include "syscall_policy.h"

enum { PATIENCE = 10000 /* milliseconds: patching a program's text waits for all its threads */, TURNS = 8 };
/* The kernel's headers for programs have these beside what libc's have too (fcntl(2), memfd_create(2)). */
enum {
    ADD_SEALS = 1033,
    SEALS = 1 | 2 | 4 | 8, /* F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE */
    CLOSE_ON_EXEC = 1,
    MAY_BE_SEALED = 2
};

void *pages_copy(const void *at, uint64_t size)
{
    int64_t copy = KERNEL(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(copy))
        return NULL;
    copy_bytes((void *)copy, at, size);
    return (void *)copy;
}

void pages_drop(void *copy, uint64_t size)
{
    if (copy)
        KERNEL(munmap, copy, size);
}

/* A limit of the size of files counts for this one too, and sends a signal, which is blocked: it is taken back. */
static bool fill(int64_t file, const void *content, uint64_t size)
{
    const uint64_t too_large = 1ull << (25 /* SIGXFSZ */ - 1), at_once[2] = {0, 0};
    int64_t written = KERNEL(write, file, content, size);
    if (written != (int64_t)size)
        KERNEL(rt_sigtimedwait, &too_large, 0, at_once, sizeof too_large);
    return written == (int64_t)size;
}

/* A file that holds this and never anything else; or an errno. */
static int64_t sealed_file(const void *content, uint64_t size)
{
    int64_t file = KERNEL(memfd_create, "shield", CLOSE_ON_EXEC | MAY_BE_SEALED);
    if (is_error(file) || (fill(file, content, size) && !is_error(KERNEL(fcntl, file, ADD_SEALS, SEALS))))
        return file;
    KERNEL(close, file);
    return -EBUSY;
}

static int64_t map_there(void *at, uint64_t size, int64_t file)
{
    return KERNEL(mmap, at, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
}

/* A limit makes the kernel fail before it takes away what is there (mmap(2)). With pages of the gate missing nothing could go
 * on. */
static bool lay(void *at, uint64_t size, int64_t file)
{
    uint8_t present[ROOM_TO_LOOK / PAGE];
    char gone[START_LINE_MAX]; /* made before what it says of the function may be gone */
    uint32_t len = write_start_line(
        &(struct start_line){
            .event = TEXT("refused"),
            .level = TEXT("ERROR"),
            .apart = true,
            .failed = true,
            .reason = TEXT("there is no memory to go on with: what is sealed could not be replaced")},
        gone);
    if (!is_error(map_there(at, size, file)))
        return true;
    if (!is_error(KERNEL(mincore, at, size, present)))
        return false;
    KERNEL(write, 2, gone, len);
    KERNEL(exit_group, REFUSED);
    return false;
}

static bool look_and_lay(void *at, uint64_t size, int64_t file, pages_check may_follow, const void *context)
{
    void *place = (void *)(room_to_look() + (at == &sealed ? 0 : sizeof sealed));
    bool done =
        !is_error(map_there(place, size, file)) && may_follow(at, place, context) && lay(at, size, file);
    KERNEL(mmap, place, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return done;
}

bool pages_exchange(void *copy, void *at, uint64_t size, pages_check may_follow, const void *context)
{
    int64_t file = sealed_file(copy, size);
    bool done = false;
    pages_drop(copy, size);
    if (is_error(file))
        return false;
    done = look_and_lay(at, size, file, may_follow, context);
    KERNEL(close, file);
    return done;
}

bool sealing_begin(uint64_t *signals)
{
    const uint64_t all = UINT64_MAX, millisecond[2] = {0, 1000000};
    KERNEL(rt_sigprocmask, 0 /* SIG_BLOCK */, &all, signals, sizeof all);
    for (uint32_t turn = 0; turn < PATIENCE; turn++) {
        if (!__atomic_exchange_n(seal_of_process(), 1, __ATOMIC_ACQ_REL))
            return true;
        KERNEL(nanosleep, millisecond, 0);
    }
    KERNEL(rt_sigprocmask, 2 /* SIG_SETMASK */, signals, 0, sizeof *signals);
    return false;
}

void sealing_end(const uint64_t *signals)
{
    __atomic_store_n(seal_of_process(), 0, __ATOMIC_RELEASE);
    KERNEL(rt_sigprocmask, 2 /* SIG_SETMASK */, signals, 0, sizeof *signals);
}

static bool is_table_when_ready(const void *now, const void *next, const void *context)
{
    (void)now;
    (void)context;
    return guards_are(next, &sealed, true);
}

static void exchange_table(void)
{
    uint8_t *table = pages_copy(gate_table, PAGE);
    if (!table)
        return;
    table[GATE_READY] = 1;
    guard_calls(table, &sealed);
    pages_exchange(table, gate_table, PAGE, is_table_when_ready, NULL);
}

/* What a function may do before its first event, and not after. */
static bool blocks_what_ends(void)
{
    const uint8_t *modes = sealed.policy.modes;
    return modes[READ_HANDLER] == MODE_BLOCK || modes[READ_WRITE_TMP] == MODE_BLOCK;
}

/* Where that is blocked, no work is asked for with the handler still open. */
void become_ready(void)
{
    static const char why[] =
        "the handler cannot be locked: a limit leaves no memory, no descriptor or no file for it";
    uint64_t signals;
    if (!is_ready() && sealing_begin(&signals)) {
        for (uint32_t turn = 0; turn < TURNS && !is_ready(); turn++)
            exchange_table();
        sealing_end(&signals);
    }
    if (is_ready())
        return;
    if (!blocks_what_ends()) {
        report_itself((enum mode)sealed.policy.modes[SELF_PROTECTION], TEXT("ready"), TEXT(why));
        return;
    }
    report_failure(false, &(struct writer){(char *)why, sizeof why - 1, sizeof why, false});
    report_folded(AT_END);
    KERNEL(exit_group, REFUSED);
}
