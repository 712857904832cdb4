#include "sealing.h"

#include "claims.h"
#include "guarded.h"
#include "process.h"
#include "ranges.h"
#include "state.h"

enum { PATIENCE = 10000 /* milliseconds: patching a program's text waits for all its threads */, TURNS = 8 };

/* Of what is sealed; 0: of other pages, as of a text. */
static uint64_t place_of_copy(const void *at)
{
    uint64_t room = room_for_copies();
    return at == &sealed ? room : at == gate_table ? room + sizeof sealed : 0;
}

static bool has_place(const void *copy)
{
    return (uint64_t)copy - room_for_copies() < ROOM_FOR_COPIES;
}

void *pages_copy(const void *at, uint64_t size)
{
    uint64_t place = place_of_copy(at), flags = MAP_PRIVATE | MAP_ANONYMOUS | (place ? MAP_FIXED : 0);
    int64_t copy = KERNEL(mmap, place, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (is_error(copy))
        return NULL;
    copy_bytes((void *)copy, at, size);
    return (void *)copy;
}

void pages_drop(void *copy, uint64_t size)
{
    if (copy && has_place(copy))
        KERNEL(madvise, copy, size, MADV_DONTNEED); /* the place stays taken */
    else if (copy)
        KERNEL(munmap, copy, size);
}

/* Linux 5.7 leaves the place taken, without its pages (mremap(2)). Before, it is taken once more. */
static bool lay(void *copy, const void *at, uint64_t size)
{
    const uint64_t flags = MREMAP_MAYMOVE | MREMAP_FIXED, keeps = has_place(copy) ? MREMAP_DONTUNMAP : 0;
    int64_t moved = KERNEL(mremap, copy, size, size, flags | keeps, at);
    if (moved != -EINVAL || !keeps)
        return !is_error(moved);
    if (is_error(KERNEL(mremap, copy, size, size, flags, at)))
        return false;
    KERNEL(mmap, copy, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return true;
}

bool pages_exchange(void *copy, const void *at, uint64_t size, uint64_t protection, pages_check may_follow,
                    const void *context)
{
    uint64_t low = (uint64_t)copy;
    bool done = false, kept = has_place(copy);
    /* Nobody changes mappings meanwhile, and none that was judged before is still to come. */
    if (!prepare_begin()) {
        if (kept || protect_range(low, low + size)) {
            done = !is_error(KERNEL(mprotect, copy, size, protection)) &&
                   (!may_follow || may_follow(at, copy, context)) && lay(copy, at, size);
            if (!kept)
                unprotect_range(low);
        }
        prepare_end();
    }
    if (!done)
        pages_drop(copy, size);
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

void become_ready(void)
{
    uint64_t signals;
    if (is_ready() || !sealing_begin(&signals))
        return;
    for (uint32_t turn = 0; turn < TURNS && !is_ready(); turn++) {
        uint8_t *table = pages_copy(gate_table, PAGE);
        if (!table)
            break;
        table[GATE_READY] = 1;
        guard_calls(table, &sealed);
        pages_exchange(table, gate_table, PAGE, PROT_READ, is_table_when_ready, NULL);
    }
    sealing_end(&signals);
}
