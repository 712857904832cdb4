/* Counts violations without a line, by policy and kind (LEFT_OUT_KINDS): there were too many in a second, the log took no line,
 * or an equal one was just reported.
 *
 * A line reserves its violations, and commits or rolls them back after the write. Both counts are in one word, changed
 * atomically: another thread or a signal handler that ends the process meanwhile finds each violation in one of them.
 */
#ifndef SHIELD_LEFT_OUT_H
#define SHIELD_LEFT_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "../state/process_state.h"

enum left_out {
    LEFT_OUT = 1,           /* the log took no line */
    LEFT_OUT_QUIETLY = 2,   /* an equal one was just reported, so its count may wait */
    LEFT_OUT_OF_SECOND = 4, /* repeated, or too many, in this second: the count is written after it */
    OF_ALERTS = LEFT_OUT | LEFT_OUT_QUIETLY | LEFT_OUT_OF_SECOND
};

/* The reasons (enum left_out) to write counts, at the latest when the function asks for the next event. */
static inline uint8_t left_out_reasons(void)
{
    return is_next_event_watched() & OF_ALERTS;
}
/* Must be called before counts are read: later violations set their reason again. */
void clear_left_out_reasons(void);

/* Counts one violation. */
void leave_out(uint32_t policy, uint32_t kind, enum left_out how);
/* Reserves `own` violations for one line, and those left out if `with_left_out`. Returns the sum. */
uint32_t reserve_left_out(uint32_t policy, uint32_t kind, uint32_t own, bool with_left_out);
/* The same, with the reservations of other lines, which may never be written, as the process ends. */
uint32_t reserve_all_left_out(uint32_t policy, uint32_t kind);
/* Commits a reservation if the line is written; else rolls it back, so that its violations are left out again. */
void settle_left_out(uint32_t policy, uint32_t kind, uint32_t count, bool is_written);
bool is_any_left_out(uint32_t policy, uint32_t kind);
/* Whether any policy and kind has a count, reserved ones included. */
bool has_unwritten_counts(void);
bool is_any_reserved(void);

#endif
