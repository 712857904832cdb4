#include "fd_pins.h"

#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "process_state.h"

/* A slot: nothing (0), or what is claimed, the descriptor, and who claims it: what a signal handler interrupted must not
 * keep it waiting. That is a thread; of another process that shares this memory, which has descriptors of its own, it is
 * that process (KIN). */
enum kind {
    HOLD = 1, /* the gate uses the descriptor */
    CHANGE,   /* it is being closed or replaced */
    PREPARE,  /* a text is being prepared */
    LAY,      /* mappings are being changed */
    GONE      /* it is being given back */
};
enum { ANY = 0x1fffffff /* all descriptors */, NO_SLOT = CLAIMS /* none was free */ };
#define KIN 0x80000000u
enum {
    QUICK_TURNS = 50,
    PATIENCE = QUICK_TURNS + 30, /* milliseconds; for a number of the gate's own: another does as well */
    OTHERS_PATIENCE = QUICK_TURNS + 1000, /* who has the program's waits for a processor, and nothing else */
    LONG_PATIENCE = 5000,
    MOVES = 8
};

static uint64_t word(enum kind kind, uint32_t descriptor, uint32_t who)
{
    return (uint64_t)kind << 61 | (uint64_t)descriptor << 32 | who;
}

static enum kind kind_of(uint64_t slot)
{
    return (enum kind)(slot >> 61);
}

static uint32_t descriptor_of(uint64_t slot)
{
    return (uint32_t)(slot >> 32) & ANY;
}

/* The only thread of a process has the process's number. A copy that was forked in the midst of a call does not know its
 * number yet. */
static uint32_t this_thread(void)
{
    uint32_t owner = is_alone() && !had_kin() ? owner_of_memory() : 0;
    return owner ? owner : (uint32_t)KERNEL(gettid);
}

/* Is this process known to share the memory? The kernel clears its number when it no longer does, because it ended or
 * started a program, with whatever it claimed (set_tid_address(2)). */
static bool is_kin(uint32_t process)
{
    struct claims *c = claims_of_process();
    for (uint32_t i = 0; i < KIN_MAX; i++)
        if (__atomic_load_n(&c->kin[i], __ATOMIC_SEQ_CST) == process)
            return true;
    return false;
}

/* Who claims descriptors. */
static uint32_t this_holder(void)
{
    uint32_t owner = owner_of_memory();
    if (!had_kin() || !owner)
        return this_thread();
    uint32_t thread = (uint32_t)KERNEL(gettid);
    if (thread == owner)
        return thread;
    uint32_t process = (uint32_t)KERNEL(getpid);
    return process == owner ? thread : process | KIN;
}

static uint32_t who_claims(enum kind kind)
{
    return kind == HOLD || kind == CHANGE ? this_holder() : this_thread();
}

/* A kind that keeps others from something: they look for it only when there is one. */
static bool keeps_others(enum kind kind)
{
    return kind == HOLD || kind == PREPARE;
}

/* Nothing is there any more when it was dropped, or in a copy that was forked since it was taken. The slot is its owner's
 * until all is done: a handler makes no copy meanwhile, which would do the rest once more. */
static void give(uint32_t slot, uint64_t claim)
{
    struct claims *c = claims_of_process();
    uint64_t gone = word(GONE, 0, (uint32_t)claim);
    if (!__atomic_compare_exchange_n(&c->slots[slot], &claim, gone, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED))
        return;
    if (keeps_others(kind_of(claim)))
        __atomic_fetch_sub(&c->held_now, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&c->slots[slot], 0, __ATOMIC_SEQ_CST);
}

/* Left behind by kin that is no more. */
static bool is_left(uint64_t slot)
{
    uint32_t who = (uint32_t)slot;
    return slot && who & KIN && !is_kin(who & ~KIN);
}

/* Of a child that nobody waited for yet the number is still there (waitid(2)). */
static bool is_dead(uint32_t id)
{
    int32_t found[32] = {0}; /* siginfo_t: the first is the signal */
    if (KERNEL(kill, id, 0) == -ESRCH)
        return true;
    KERNEL(waitid, P_PID, id, found, WEXITED | WNOHANG | WNOWAIT | __WALL, 0);
    return found[0];
}

/* Those of kin that is no more; or of every thread that was cancelled, or killed with its process, in the midst of a call. */
static void drop_claims(bool of_threads)
{
    struct claims *c = claims_of_process();
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST);
        bool is_kins = (uint32_t)slot & KIN;
        if (is_left(slot) || (of_threads && slot && !is_kins && is_dead((uint32_t)slot)))
            give(i, slot);
    }
}

/* `used` first: a claim is never there without being looked at. */
static int32_t try_to_take(uint64_t claim)
{
    struct claims *c = claims_of_process();
    for (uint32_t i = 0; i < CLAIMS; i++) {
        uint64_t free = 0, there = __atomic_load_n(&c->slots[i], __ATOMIC_RELAXED);
        if (is_left(there))
            give(i, there);
        else if (there)
            continue;
        uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
        while (used <= i && !__atomic_compare_exchange_n(&c->used, &used, i + 1, false, __ATOMIC_SEQ_CST,
                                                         __ATOMIC_SEQ_CST))
            ;
        if (!__atomic_compare_exchange_n(&c->slots[i], &free, claim, false, __ATOMIC_SEQ_CST,
                                         __ATOMIC_RELAXED))
            continue;
        if (keeps_others(kind_of(claim)))
            __atomic_fetch_add(&c->held_now, 1, __ATOMIC_SEQ_CST);
        return (int32_t)i;
    }
    return NO_SLOT;
}

/* Is this claim about descriptors of the same process? */
static bool is_of_same(uint64_t slot, uint32_t holder)
{
    uint32_t who = (uint32_t)slot;
    return (who | holder) & KIN ? who == holder : true;
}

/* Is there a claim of this kind on the descriptor, in the process of `holder`, by another than `except` whose number is below
 * `limit`? What is claimed of memory counts in every process, and is about descriptor 0. */
static bool claimed(enum kind kind, uint32_t descriptor, uint32_t holder, uint32_t except, uint32_t limit)
{
    struct claims *c = claims_of_process();
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST);
        uint32_t who = (uint32_t)slot;
        bool about = descriptor_of(slot) == descriptor || descriptor_of(slot) == ANY;
        if (kind_of(slot) == kind && about && is_of_same(slot, holder) && who != except && who < limit)
            return true;
    }
    return false;
}

static bool prepares(uint32_t me, uint32_t limit)
{
    return claimed(PREPARE, 0, 0, me, limit);
}

static void pause_between(uint32_t turn)
{
    const uint64_t millisecond[2] = {0, 1000000};
    if (turn < QUICK_TURNS)
        KERNEL(sched_yield);
    else
        KERNEL(nanosleep, millisecond, 0);
    if (turn == QUICK_TURNS)
        drop_claims(true);
}

/* Has this thread another claim than `own`? Then it is in a signal handler, in the midst of its own call. A text is
 * prepared with all signals blocked: what is claimed beside that belongs to the same call. */
static bool is_interrupted(int32_t own)
{
    struct claims *c = claims_of_process();
    uint32_t me = this_thread(), holder = this_holder(), used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_RELAXED);
        bool is_own = slot && ((uint32_t)slot == me || (uint32_t)slot == holder);
        if (is_own && (int32_t)i != own && kind_of(slot) != PREPARE)
            return true;
    }
    return false;
}

bool has_claims(void)
{
    return is_interrupted(NO_SLOT);
}

/* Waits a moment for others. False: no longer. A handler does not wait at all: what it interrupted ends no claim before
 * the handler is over, and others may be waiting for that, in a handler as well. Where one follows the other, there would
 * be no end to it. */
static bool wait_for_others(int32_t own, uint32_t turn, uint32_t patience)
{
    if (is_interrupted(own)) {
        drop_claims(true);
        return false;
    }
    pause_between(turn);
    return turn + 1 < patience;
}

/* The first claim of kin makes it known: that of its first thread, with whose end it may be forgotten. What others left
 * behind goes, as one of them may have had its number. False: it is another thread, or there are too many. */
static bool is_known(uint32_t who)
{
    struct claims *c = claims_of_process();
    uint32_t process = who & ~KIN;
    if (!(who & KIN) || is_kin(process))
        return true;
    if ((uint32_t)KERNEL(gettid) != process)
        return false;
    drop_claims(false);
    for (uint32_t i = 0; i < KIN_MAX; i++) {
        uint32_t free = 0;
        if (__atomic_compare_exchange_n(&c->kin[i], &free, process, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
            KERNEL(set_tid_address, &c->kin[i]);
            return true;
        }
    }
    return false;
}

/* A full table is contention. Who claims is asked for again where a handler made a copy or kin in between: they go on from
 * here as well. */
static int32_t take(enum kind kind, uint32_t descriptor, uint32_t *who)
{
    for (uint32_t turn = 0; turn < LONG_PATIENCE;) {
        note_owner(); /* of a copy that was forked since the call began */
        uint32_t owner = owner_of_memory();
        uint64_t kin = kin_so_far();
        *who = who_claims(kind);
        int32_t slot = is_known(*who) ? try_to_take(word(kind, descriptor, *who)) : NO_SLOT;
        if (slot == NO_SLOT)
            pause_between(turn++);
        else if (owner == owner_of_memory() && kin == kin_so_far())
            return slot;
        else
            give((uint32_t)slot, word(kind, descriptor, *who));
    }
    return NO_SLOT;
}

/* Claims the number, and waits for changes that are under way. */
static bool hold_number(int64_t descriptor, uint32_t patience)
{
    uint32_t number = (uint32_t)descriptor, me;
    int32_t slot = take(HOLD, number, &me);
    if (slot == NO_SLOT)
        return false;
    uint32_t turn = 0;
    do
        if (!claimed(CHANGE, number, me, me & KIN ? 0 : me, UINT32_MAX))
            return true;
    while (wait_for_others(slot, turn++, patience));
    give((uint32_t)slot, word(HOLD, number, me));
    return false;
}

int64_t hold(int64_t descriptor)
{
    for (uint32_t move = 0; descriptor >= 0; move++) {
        if (hold_number(descriptor, PATIENCE))
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
    return descriptor < 0 || hold_number(descriptor, OTHERS_PATIENCE) ? 0 : -EBUSY;
}

/* The slot of exactly this claim; NO_SLOT: there is none. */
static uint32_t slot_of(uint64_t claim)
{
    struct claims *c = claims_of_process();
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++)
        if (__atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST) == claim)
            return i;
    return NO_SLOT;
}

static void give_own(enum kind kind, uint32_t descriptor)
{
    uint64_t mine = word(kind, descriptor, who_claims(kind));
    uint32_t slot = slot_of(mine);
    if (slot != NO_SLOT)
        give(slot, mine);
}

void let_go(int64_t descriptor)
{
    if (descriptor >= 0)
        give_own(HOLD, (uint32_t)descriptor);
}

void close_held(int64_t descriptor)
{
    if (descriptor < 0)
        return;
    /* In this order: once it is closed the number may be another thread's. */
    let_go(descriptor);
    KERNEL(close, descriptor);
}

int32_t change_begin(uint32_t descriptor, bool waits)
{
    struct claims *c = claims_of_process();
    uint32_t turn = 0, me;
    do {
        int32_t claim = take(CHANGE, descriptor < ANY ? descriptor : ANY, &me);
        if (claim == NO_SLOT)
            return -1;
        /* What this very thread holds counts as well: then we are in a signal handler, in the midst of its call. */
        if (!__atomic_load_n(&c->held_now, __ATOMIC_SEQ_CST) || !claimed(HOLD, descriptor, me, 0, UINT32_MAX))
            return claim;
        change_end(claim);
    } while (waits && wait_for_others(NO_SLOT, turn++, OTHERS_PATIENCE));
    return -1;
}

int32_t change_many_begin(void)
{
    uint32_t me;
    int32_t claim = take(CHANGE, ANY, &me);
    return claim == NO_SLOT ? -1 : claim;
}

uint32_t next_held(uint32_t from)
{
    struct claims *c = claims_of_process();
    uint32_t lowest = UINT32_MAX;
    if (!__atomic_load_n(&c->held_now, __ATOMIC_SEQ_CST))
        return lowest;
    uint32_t used = __atomic_load_n(&c->used, __ATOMIC_SEQ_CST), me = this_holder();
    for (uint32_t i = 0; i < used; i++) {
        uint64_t slot = __atomic_load_n(&c->slots[i], __ATOMIC_SEQ_CST);
        if (slot && kind_of(slot) == HOLD && is_of_same(slot, me) && descriptor_of(slot) >= from &&
            descriptor_of(slot) < lowest)
            lowest = descriptor_of(slot);
    }
    return lowest;
}

void change_end(int32_t claim)
{
    if (claim >= 0)
        __atomic_store_n(&claims_of_process()->slots[claim], 0, __ATOMIC_RELEASE);
}

bool is_laying(void)
{
    return slot_of(word(LAY, 0, this_thread())) != NO_SLOT;
}

int64_t prepare_begin(void)
{
    uint32_t me;
    for (uint32_t turn = 0; turn < LONG_PATIENCE;) {
        int32_t slot = take(PREPARE, 0, &me);
        if (slot == NO_SLOT)
            return -EAGAIN;
        /* Of two that come at once, the one with the smaller number goes first. Who changes mappings for long may be in a
         * signal handler whose own changes wait for us: they go first. */
        for (uint32_t look = 0; look < QUICK_TURNS && !prepares(me, me); look++) {
            if (!prepares(me, UINT32_MAX) && !claimed(LAY, 0, 0, me, UINT32_MAX))
                return 0;
            KERNEL(sched_yield);
        }
        give((uint32_t)slot, word(PREPARE, 0, me));
        pause_between(turn++);
    }
    return -EAGAIN;
}

void prepare_end(void)
{
    give_own(PREPARE, 0);
}

int32_t lay_begin(void)
{
    struct claims *c = claims_of_process();
    uint32_t me;
    for (uint32_t turn = 0; turn < LONG_PATIENCE; turn++) {
        int32_t claim = take(LAY, 0, &me);
        if (claim == NO_SLOT)
            return -1;
        if (!__atomic_load_n(&c->held_now, __ATOMIC_SEQ_CST) || !prepares(me, UINT32_MAX))
            return claim;
        change_end(claim);
        pause_between(turn);
    }
    return -1;
}
