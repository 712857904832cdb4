/* What belongs to this process alone. The memory is wiped in a forked copy of it (madvise(2): MADV_WIPEONFORK), which
 * tells the copy from the process that was armed, at the price of one read. A vfork child shares it with its parent.
 */
#ifndef SHIELD_PROCESS_STATE_H
#define SHIELD_PROCESS_STATE_H

#include "sealed_state.h"

enum { ALERT_MODES = MODE_ALLOW }; /* block, alert */
/* By mode: violations without a line; those that a line of the same second told of; the same, of severity notice. */
enum {
    FOLDED = 0,
    REPEATED = ALERT_MODES,
    REPEATED_NOTICES = 2 * ALERT_MODES,
    LEFT_OUT_KINDS = 3 * ALERT_MODES
};
/* Of each policy, in a second: lines, and violations whose code is looked at. What is more, or was told in it, is counted. */
enum { LINES_A_SECOND = 200 };

/* A violation that a line told of, by hashes (repeats.h). */
struct told {
    uint32_t second;
    uint64_t target, whole;
};
enum { TARGET_MAX = 384 };
/* The last target of what was left out. */
struct left_target {
    uint32_t is_busy, len;
    char text[TARGET_MAX];
};

/* What was written of late, and what was not. */
struct storm {
    uint64_t left_out[POLICY_COUNT][LEFT_OUT_KINDS];   /* left_out.h */
    uint64_t lines[POLICY_COUNT], looks[POLICY_COUNT]; /* second << 16 | how many in it */
    uint32_t flushed;      /* the second in which what was left out was last written, or tried */
    uint32_t handler_told; /* the second in which a line about read_handler was last written */
    uint32_t handler[MAX_HANDLERS][ALERT_MODES]; /* the same, of each file */
    struct told told[POLICY_COUNT][LINES_A_SECOND];
    struct left_target targets[POLICY_COUNT][LEFT_OUT_KINDS];
};

struct process {
    uint32_t is_armed;
    int32_t id;            /* 0: a forked copy that made no guarded call yet */
    uint32_t seal;         /* somebody changes what is sealed (sealed_pages.h) */
    uint32_t mapping_lock; /* mapping_lock.h */
    struct storm storm;
};

/* Before the gate is in use: when the library is loaded, and when it is armed. False when there is no memory. */
bool process_begin(struct process **own);
bool process_arm(void);

/* Is this a forked copy of the process that was armed, without an exec since? */
static inline bool is_forked_copy(void)
{
    return !__atomic_load_n(&sealed->process.own->is_armed, __ATOMIC_RELAXED);
}
/* It was judged: from now on it is a process like any other. */
void accept_forked_copy(void);
/* Whose memory it is, learnt before a vfork child can ask: a forked copy's is its own. True: it was not known yet. */
static inline bool record_owner(void)
{
    if (__atomic_load_n(&sealed->process.own->id, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&sealed->process.own->id, (int32_t)KERNEL(getpid), __ATOMIC_RELAXED);
    return true;
}
/* Does this thread run in that process? Not so in a vfork child, which has descriptors of its own, and no other threads. Asks
 * the kernel only where the gate saw such a child made. */
bool is_memory_owner(void);
/* The same, where the gate sees nothing yet. */
bool is_owner_process(void);
void record_vfork(void);

/* Has nobody else this memory or these descriptors? Then nothing changes between two looks at them. Once there was a
 * second thread, the answer is no for good. The parent of the first vfork child waits. */
extern bool had_threads __attribute__((visibility("hidden"))); /* gate.S reads it */
static inline bool is_single_threaded(void)
{
    return !__atomic_load_n(&had_threads, __ATOMIC_RELAXED);
}
void record_threads(void);

/* Why the request for the next event is looked for, although the function is ready: the bits of report/left_out.h, and one that
 * stays. gate.S reads whether there is a reason. */
enum { WATCH_EACH_EVENT = 128 };
extern uint8_t next_event_watched __attribute__((visibility("hidden")));
static inline uint8_t is_next_event_watched(void)
{
    return __atomic_load_n(&next_event_watched, __ATOMIC_RELAXED);
}
void watch_next_event(uint8_t why);

#endif
