/* What belongs to this process alone. The memory is wiped in a forked copy of it (madvise(2): MADV_WIPEONFORK), which
 * tells the copy from the process that was armed, at the price of one read. A vfork child shares it with its parent.
 *
 * Part of it are the descriptors that the gate itself holds during a call: what was judged through one must be what
 * is opened through it, so no other thread may put something else in its place meanwhile.
 */
#ifndef SHIELD_PROCESS_H
#define SHIELD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Before the gate is in use. False when there is no memory. */
bool process_begin(void);

/* Is this a forked copy of the process that was armed, without an exec since? */
bool is_forked_copy(void);
/* It was judged: from now on it is a process like any other. */
void accept_forked_copy(void);

/* Alerts that were not written, and how many were in this second. */
struct storm {
    uint32_t folded;
    uint32_t flushed; /* the second in which the count was last written, or tried */
    uint64_t lines;   /* second << 16 | lines in it */
};
struct storm *storm_of_process(void);

/* Marks a descriptor of the gate's own; errors are passed through. Each hold needs its let_go, before the close. */
int64_t hold(int64_t descriptor);
void let_go(int64_t descriptor);
/* Lets go and closes; nothing for an error. */
void close_held(int64_t descriptor);
/* Waits until nobody holds the descriptor: a call of the gate's takes microseconds. False when it takes longer, as
 * with a FIFO that nobody writes to. */
bool wait_until_free(int64_t descriptor);
bool wait_until_range_is_free(uint32_t first, uint32_t last);
/* Where the number of descriptors held now is counted, for the gate's assembly. */
const uint32_t *held_now(void);

#endif
