/* Violations that no line tells of yet, by policy and kind (LEFT_OUT_KINDS): there were too many in a second, the log took no
 * line, or the same was told a moment ago.
 *
 * What a line is about to tell is in its hand until it is written. Both numbers are one word, so there is no moment at
 * which a violation is in neither: whoever ends the process meanwhile, another thread or a signal handler, finds it.
 */
#ifndef SHIELD_LEFT_OUT_H
#define SHIELD_LEFT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "../state/process_state.h"

enum left_out {
    LEFT_OUT = 1,         /* the log took no line */
    LEFT_OUT_QUIETLY = 2, /* no hurry: the same was told a moment ago */
    TMP_IS_CLEARED =
        4, /* no violations, and as much a reason to look for the next event (files/tmp_clear.h) */
    LEFT_OUT_OF_SECOND = 16, /* told in this second, or too many for it: it is counted when that is over */
    OF_ALERTS = LEFT_OUT | LEFT_OUT_QUIETLY | LEFT_OUT_OF_SECOND
};

/* Is there something? A hint for the gate's assembly, which passes on what may be a request for the next event. */
extern uint8_t alerts_left_out __attribute__((visibility("hidden")));
static inline uint8_t what_is_left_out(void)
{
    return __atomic_load_n(&alerts_left_out, __ATOMIC_RELAXED);
}
/* Before it is looked at: what is left out from now on says so again. */
void look_for_left_out(void);
void note_left_out(enum left_out how);

/* One more. */
void leave_out(uint32_t policy, uint32_t kind, enum left_out how);
/* Into the hand of one line: `own`, and what is left out if it takes that along. How many. */
uint32_t take_in_hand(uint32_t policy, uint32_t kind, uint32_t own, bool takes_along);
/* The same, with what other lines have in hand: they may never be written, as the process ends. */
uint32_t take_all_in_hand(uint32_t policy, uint32_t kind);
/* The line was written, or not: then they are left out again. */
void let_out_of_hand(uint32_t policy, uint32_t kind, uint32_t count, bool is_written);
bool is_any_left_out(uint32_t policy, uint32_t kind);
/* The same of all, where what lines have in hand counts too. */
bool is_any_untold(void);
bool is_any_in_hand(void);

#endif
