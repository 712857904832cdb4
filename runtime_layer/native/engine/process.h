/* What belongs to this process alone. The memory is wiped in a forked copy of it (madvise(2): MADV_WIPEONFORK), which
 * tells the copy from the process that was armed, at the price of one read. A vfork child shares it with its parent.
 */
#ifndef SHIELD_PROCESS_H
#define SHIELD_PROCESS_H

#include "claims.h"

/* Before the gate is in use: when the library is loaded, and when it is armed. False when there is no memory. */
bool process_begin(void);
bool process_arm(void);

/* Is this a forked copy of the process that was armed, without an exec since? */
bool is_forked_copy(void);
/* It was judged: from now on it is a process like any other. */
void accept_forked_copy(void);
/* Whose memory it is, learnt before a vfork child can ask: a forked copy's is its own. */
void note_owner(void);
/* Does this thread run in that process? Not so in a vfork child, which has descriptors of its own. Asks the kernel only
 * where the gate saw such a child made. */
bool owns_memory(void);
/* The same, where the gate sees nothing yet. */
bool runs_in_owner(void);
/* That process's number. */
uint32_t owner_of_memory(void);

/* Has nobody else this memory or these descriptors? Then nothing changes between two looks at them. Once there was a
 * second thread, the answer is no for good. A vfork child's parent waits. */
bool is_alone(void);
void note_company(void);
extern bool has_company __attribute__((visibility("hidden"))); /* gate.S reads it */
/* Of a process with one thread: how many calls have come to the gate. More of them at a call's end than at its start came
 * out of a signal handler, in its midst. */
uint32_t calls_so_far(void);
void count_call(void);
/* Since there were so many calls: did a handler make one, or start a thread? */
bool was_interrupted(uint32_t calls);
/* May there be, or have been, another process with this memory: a vfork child? */
bool had_kin(void);
/* How often one was made: two answers that differ tell that one was made in between. */
uint64_t kin_so_far(void);
void note_kin(void);

/* Is somebody changing what is sealed (sealing.h)? */
uint32_t *seal_of_process(void);
/* Where copies of what is sealed are changed: ROOM_FOR_COPIES bytes (sealing.h), behind what belongs to the process. */
uint64_t room_for_copies(void);

/* Alerts that were not written, and how many were in this second. */
struct storm {
    uint32_t folded;
    uint32_t flushed; /* the second in which the count was last written, or tried */
    uint64_t lines;   /* second << 16 | lines in it */
};
struct storm *storm_of_process(void);
struct claims *claims_of_process(void);

#endif
