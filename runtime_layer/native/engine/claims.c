#include "claims.h"

#include "process.h"
#include "kernel.h"

enum { PATIENCE = 10 /* milliseconds */, LONG_PATIENCE = 5000, QUICK_TURNS = 50, MOVES = 8 };

/* A slot: nothing (0), a hold with the thread's id, or a change. A change of more than one descriptor counts for all:
 * there are few. */
enum { ANY = 0x3fffffff, MAPPINGS = ANY - 1 };
static const uint64_t HOLD = 1ull << 62, CHANGE = 1ull << 63;

static uint64_t word(uint64_t kind, uint64_t descriptor, uint32_t thread)
{
    return kind | descriptor << 32 | thread;
}

static bool is_about(uint64_t slot, uint64_t kind, uint32_t first, uint32_t last)
{
    uint32_t descriptor = (uint32_t)(slot >> 32) & ANY;
    return slot & kind && (descriptor == ANY || (descriptor >= first && descriptor <= last));
}

static int32_t take(uint64_t value)
{
    struct claims *c = claims_of_process();
    for (uint32_t i = 0; i < CLAIMS; i++) {
        uint64_t free = 0;
        if (__atomic_load_n(&c->slots[i], __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(&c->slots[i], &free, value, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
            uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
            while (used <= i && !__atomic_compare_exchange_n(&c->used, &used, i + 1, false, __ATOMIC_SEQ_CST,
                                                             __ATOMIC_SEQ_CST))
                ;
            return (int32_t)i;
        }
    }
    return -1;
}

static bool is_claimed(uint64_t kind, uint32_t first, uint32_t last)
{
    struct claims *c = claims_of_process();
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++)
        if (is_about(__atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST), kind, first, last))
            return true;
    return false;
}

static void free_hold(uint32_t slot)
{
    struct claims *c = claims_of_process();
    __atomic_store_n(&c->slots[slot], 0, __ATOMIC_SEQ_CST);
    __atomic_fetch_sub(&c->held_now, 1, __ATOMIC_SEQ_CST);
}

/* A thread that was cancelled, or a vfork child that was killed, in an open that waits. */
static void drop_holds_of_the_dead(void)
{
    struct claims *c = claims_of_process();
    for (uint32_t i = 0; i < CLAIMS; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST);
        if (slot & HOLD && KERNEL(kill, (uint32_t)slot, 0) == -ESRCH)
            free_hold(i);
    }
}

static bool wait_while_claimed(uint64_t kind, uint32_t first, uint32_t last)
{
    const uint64_t millisecond[2] = {0, 1000000};
    for (uint32_t turn = 0; is_claimed(kind, first, last); turn++) {
        if (turn == QUICK_TURNS + PATIENCE)
            return false;
        if (turn < QUICK_TURNS)
            KERNEL(sched_yield);
        else
            KERNEL(nanosleep, millisecond, 0);
    }
    return true;
}

/* Claims it, and waits for changes that are under way. */
static bool hold_number(int64_t descriptor)
{
    uint32_t number = (uint32_t)descriptor;
    struct claims *c = claims_of_process();
    uint64_t mine = word(HOLD, number, (uint32_t)KERNEL(gettid));
    if (take(mine) < 0) {
        drop_holds_of_the_dead();
        if (take(mine) < 0)
            return false;
    }
    __atomic_fetch_add(&c->held_now, 1, __ATOMIC_SEQ_CST);
    if (wait_while_claimed(CHANGE, number, number))
        return true;
    let_go(descriptor);
    return false;
}

int64_t hold(int64_t descriptor)
{
    for (uint32_t move = 0; descriptor >= 0; move++) {
        if (hold_number(descriptor))
            return descriptor;
        /* Somebody takes long to close what once had this number: another one does as well. */
        int64_t next = move < MOVES ? KERNEL(fcntl, descriptor, F_DUPFD_CLOEXEC, descriptor + 1) : -EBUSY;
        KERNEL(close, descriptor);
        descriptor = next;
    }
    return descriptor;
}

int64_t hold_theirs(int64_t descriptor)
{
    return descriptor < 0 || hold_number(descriptor) ? 0 : -EBUSY;
}

void let_go(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    struct claims *c = claims_of_process();
    uint64_t mine = word(HOLD, (uint32_t)descriptor, (uint32_t)KERNEL(gettid));
    for (uint32_t i = 0; i < CLAIMS; i++)
        if (__atomic_load_n(&c->slots[i], __ATOMIC_RELAXED) == mine) {
            free_hold(i);
            return;
        }
}

void close_held(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    /* In this order: once it is closed the number may be another thread's. */
    let_go(descriptor);
    KERNEL(close, descriptor);
}

int32_t change_begin(uint32_t first, uint32_t last)
{
    struct claims *c = claims_of_process();
    for (uint32_t turn = 0; turn < 3; turn++) {
        int32_t claim = take(word(CHANGE, first == last && first < ANY ? first : ANY, 0));
        bool held = __atomic_load_n(&c->held_now, __ATOMIC_SEQ_CST) && is_claimed(HOLD, first, last);
        if (claim < 0 || !held)
            return claim;
        change_end(claim);
        if (!wait_while_claimed(HOLD, first, last))
            drop_holds_of_the_dead();
    }
    return -1;
}

void change_end(int32_t claim)
{
    if (claim >= 0)
        __atomic_store_n(&claims_of_process()->slots[claim], 0, __ATOMIC_SEQ_CST);
}

/* Is another thread, whose number is below the limit, preparing a text? */
static bool others_prepare(uint32_t me, uint32_t limit)
{
    struct claims *c = claims_of_process();
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST);
        if (is_about(slot, HOLD, MAPPINGS, MAPPINGS) && (uint32_t)slot != me && (uint32_t)slot < limit)
            return true;
    }
    return false;
}

static void pause_between(uint32_t turn)
{
    const uint64_t millisecond[2] = {0, 1000000};
    if (turn < QUICK_TURNS)
        KERNEL(sched_yield);
    else
        KERNEL(nanosleep, millisecond, 0);
    if (turn % LONG_PATIENCE == LONG_PATIENCE / 2)
        drop_holds_of_the_dead();
}

int64_t hold_mappings(void)
{
    uint32_t me = (uint32_t)KERNEL(gettid);
    struct claims *c = claims_of_process();
    for (uint32_t turn = 0; turn < LONG_PATIENCE; turn++) {
        if (take(word(HOLD, MAPPINGS, me)) < 0)
            return -EAGAIN;
        __atomic_fetch_add(&c->held_now, 1, __ATOMIC_SEQ_CST);
        /* Of two that come at once, the one with the smaller number goes first. */
        while (!others_prepare(me, me) && turn < LONG_PATIENCE) {
            if (!others_prepare(me, UINT32_MAX) && !is_claimed(CHANGE, MAPPINGS, MAPPINGS))
                return 0;
            pause_between(turn++);
        }
        let_mappings_go();
        pause_between(turn);
    }
    return -EAGAIN;
}

void let_mappings_go(void)
{
    let_go(MAPPINGS);
}

int32_t change_mappings_begin(void)
{
    struct claims *c = claims_of_process();
    for (uint32_t turn = 0; turn < LONG_PATIENCE; turn++) {
        int32_t claim = take(word(CHANGE, MAPPINGS, 0));
        /* What this very thread prepares may be changed by it: a signal handler cannot wait for what it interrupted. */
        bool held = __atomic_load_n(&c->held_now, __ATOMIC_SEQ_CST) &&
                    others_prepare((uint32_t)KERNEL(gettid), UINT32_MAX);
        if (claim < 0 || !held)
            return claim;
        change_end(claim);
        pause_between(turn);
    }
    return -1;
}
