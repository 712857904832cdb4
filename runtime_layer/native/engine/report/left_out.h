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
    LEFT_OUT = 1,           /* the log took no line */
    LEFT_OUT_QUIETLY = 2,   /* no hurry: the same was told a moment ago */
    LEFT_OUT_OF_SECOND = 4, /* told in this second, or too many for it: it is counted when that is over */
    OF_ALERTS = LEFT_OUT | LEFT_OUT_QUIETLY | LEFT_OUT_OF_SECOND
};

/* Is there something? They are told when the function asks for the next event, at the latest. */
static inline uint8_t left_out_reasons(void)
{
    return is_next_event_watched() & OF_ALERTS;
}
/* Before it is looked at: what is left out from now on says so again. */
void clear_left_out_reasons(void);

/* One more. */
void leave_out(uint32_t policy, uint32_t kind, enum left_out how);
/* Into the hand of one line: `own`, and what is left out if it takes that along. How many. */
uint32_t reserve_left_out(uint32_t policy, uint32_t kind, uint32_t own, bool with_left_out);
/* The same, with what other lines have in hand: they may never be written, as the process ends. */
uint32_t reserve_all_left_out(uint32_t policy, uint32_t kind);
/* The line was written, or not: then they are left out again. */
void settle_left_out(uint32_t policy, uint32_t kind, uint32_t count, bool is_written);
bool is_any_left_out(uint32_t policy, uint32_t kind);
/* The same of all, where what lines have in hand counts too. */
bool has_unwritten_counts(void);
bool is_any_reserved(void);

#endif
