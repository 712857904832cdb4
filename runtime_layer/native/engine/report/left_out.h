/* Counts of violations that no line reports yet, by policy and kind (LEFT_OUT_KINDS): there were too many in a second, the log
 * took no line, or an equal one was reported a moment ago.
 *
 * A line reserves its violations, and settles them once it is written or lost. Both counts are one word, changed atomically:
 * another thread or a signal handler that ends the process meanwhile finds each violation in one of them.
 */
#ifndef SHIELD_LEFT_OUT_H
#define SHIELD_LEFT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "../state/process_state.h"

enum left_out {
    LEFT_OUT = 1,           /* the log took no line */
    LEFT_OUT_QUIETLY = 2,   /* may wait: an equal one was reported a moment ago */
    LEFT_OUT_OF_SECOND = 4, /* repeated, or too many, in this second: counted when it is over */
    OF_ALERTS = LEFT_OUT | LEFT_OUT_QUIETLY | LEFT_OUT_OF_SECOND
};

/* Reasons (enum left_out) to look for counts. They are written when the function asks for the next event, at
 * the latest. */
static inline uint8_t left_out_reasons(void)
{
    return is_next_event_watched() & OF_ALERTS;
}
/* To be called before counts are read: violations left out from now on set their reason again. */
void clear_left_out_reasons(void);

/* Adds one violation. */
void leave_out(uint32_t policy, uint32_t kind, enum left_out how);
/* Reserves `own` violations for one line, and those left out if `with_left_out`. Returns the sum. */
uint32_t reserve_left_out(uint32_t policy, uint32_t kind, uint32_t own, bool with_left_out);
/* The same, with the reservations of other lines: they may never be written, as the process ends. */
uint32_t reserve_all_left_out(uint32_t policy, uint32_t kind);
/* Commits a reservation if the line is written; else rolls it back: they are left out again. */
void settle_left_out(uint32_t policy, uint32_t kind, uint32_t count, bool is_written);
bool is_any_left_out(uint32_t policy, uint32_t kind);
/* The same of all policies and kinds, with those that are reserved. */
bool has_unwritten_counts(void);
bool is_any_reserved(void);

#endif
