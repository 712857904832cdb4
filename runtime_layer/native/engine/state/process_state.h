/* The state of this process. The kernel wipes the memory in a forked copy (madvise(2): MADV_WIPEONFORK), so one read recognises
 * the copy. A vfork child shares it with its parent. */
#ifndef SHIELD_PROCESS_STATE_H
#define SHIELD_PROCESS_STATE_H

#include "sealed_state.h"

enum { ALERT_MODES = MODE_ALLOW }; /* block, alert */
/* By mode: violations without a line; repetitions of one that the same second has reported; the same of severity notice. */
enum {
    FOLDED = 0,
    REPEATED = ALERT_MODES,
    REPEATED_NOTICES = 2 * ALERT_MODES,
    LEFT_OUT_KINDS = 3 * ALERT_MODES
};
/* The limit of lines, and of searches for the caller, by policy and second. Further violations, and repetitions, are counted.
 */
enum { LINES_A_SECOND = 200 };

/* A reported violation, as hashes (left_out.h). Its line's thread writes 0 to `second`, then the hashes, then the second (each a
 * release); readers take the second before and after the hashes. */
struct reported {
    uint32_t second;
    uint64_t target, whole;
};
enum { TARGET_MAX = 384, LEFT_ENTRIES_MAX = 2048 };
/* The last target that was left out. The thread that sets `is_busy` (acquire) has it, until it clears that (release). */
struct left_target {
    uint32_t is_busy, len;
    char text[TARGET_MAX];
};

/* The entries of the first targets without a line, as JSON texts: as many as there is room for. */
struct left_entries {
    uint32_t len;
    char text[LEFT_ENTRIES_MAX];
};

/* The violations of the last seconds: reported ones, and the counts of others. Any thread that reports writes each: a number
 * alone by a relaxed exchange or store, as a lost one only changes which line has a count; left_out.c never loses one. */
struct storm {
    uint64_t left_out[POLICY_COUNT][LEFT_OUT_KINDS];      /* left_out.h */
    uint64_t lines[POLICY_COUNT], searches[POLICY_COUNT]; /* second << 16 | their number in it */
    uint32_t flushed;                                     /* the second of the last attempt to write counts */
    uint32_t handler_reported; /* the second in which a line about read_handler was last written */
    uint32_t handler[MAX_HANDLERS][ALERT_MODES]; /* the same, of each file */
    struct reported reported[POLICY_COUNT][LINES_A_SECOND];
    struct left_target targets[POLICY_COUNT][LEFT_OUT_KINDS];
    struct left_entries entries[POLICY_COUNT][ALERT_MODES]; /* under the lock of FOLDED's target */
};

/* Any thread writes is_armed and id, always the same values in one process; so relaxed. The locks are taken by an exchange
 * (acquire) and given by a store (release). */
enum lock {
    SEAL,     /* held while sealed pages are changed (sealed_pages.h) */
    MAPPINGS, /* while text is mapped, or mappings change that overlap text */
    LOCKS
};
struct process {
    uint32_t is_armed;
    int32_t id; /* 0: a forked copy without a guarded call */
    uint32_t locks[LOCKS];
    struct storm storm;
};

/* Must be called before the gate is in use: when the library is loaded, and when it is armed. False when there is no memory. */
bool process_begin(struct process **own);
bool process_arm(void);

/* Takes a lock, with all signals blocked: a handler could wait for the thread that it interrupted, or leave by longjmp. `signals`
 * gets the former mask. False: others held it too long. In a forked copy the locks are free. */
bool take_lock(enum lock which, uint64_t *signals);
void give_lock(enum lock which, const uint64_t *signals);

/* Whether this is a forked copy of the armed process, before an exec. */
static inline bool is_forked_copy(void)
{
    return !__atomic_load_n(&sealed->process.own->is_armed, __ATOMIC_RELAXED);
}
/* Must be called after a forked copy was judged: it counts as an armed process from then on. */
void accept_forked_copy(void);
/* Records the process that owns this memory, before a vfork child can ask; a forked copy owns its own. True: it was not
 * recorded yet. */
static inline bool record_owner(void)
{
    if (__atomic_load_n(&sealed->process.own->id, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&sealed->process.own->id, (int32_t)KERNEL(getpid), __ATOMIC_RELAXED);
    return true;
}
/* Whether this thread runs in that process, not in a vfork child, which has other descriptors and no other threads. Asks the
 * kernel only after the gate saw a call that makes such a child. */
bool is_memory_owner(void);
/* The same before the gate is armed: always asks the kernel. */
bool is_owner_process(void);
void record_vfork(void);

/* Whether one thread alone uses this memory and these descriptors, so that neither changes between two reads. False from the
 * second thread on. While the first vfork child runs, its parent waits (vfork(2)). */
extern bool had_threads __attribute__((visibility("hidden"))); /* gate.S reads it */
static inline bool is_single_threaded(void)
{
    return !__atomic_load_n(&had_threads, __ATOMIC_RELAXED);
}
void record_threads(void);

/* Reasons to watch for the request for the next event: the bits of report/left_out.h, the kernel's limits, and a permanent
 * one. gate.S reads whether there is a reason. */
enum { WATCH_FOR_LIMITS = 64, WATCH_EACH_EVENT = 128 };
extern uint8_t next_event_watched __attribute__((visibility("hidden")));
static inline uint8_t is_next_event_watched(void)
{
    return __atomic_load_n(&next_event_watched, __ATOMIC_RELAXED);
}
static inline void watch_next_event(uint8_t why)
{
    __atomic_fetch_or(&next_event_watched, why, __ATOMIC_SEQ_CST);
}
/* Takes a reason away. True: it was there. */
static inline bool forget_next_event(uint8_t why)
{
    return __atomic_fetch_and(&next_event_watched, (uint8_t)~why, __ATOMIC_SEQ_CST) & why;
}

#endif
