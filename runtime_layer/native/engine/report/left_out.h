/* Counts violations without a line, by policy and kind (LEFT_OUT_KINDS): there were too many in a second, the log took no line,
 * or an equal one was just reported.
 *
 * A line reserves its violations, and commits or rolls them back after the write. Both counts are in one word, changed
 * atomically: another thread or a signal handler that ends the process meanwhile finds each violation in one of them.
 *
 * Also records the violations reported in this second, so that repetitions are only counted, and a storm of one kind leaves lines
 * to others; and the last target of those left out, and the entries of the first ones, for the line that counts them.
 */
#ifndef SHIELD_LEFT_OUT_H
#define SHIELD_LEFT_OUT_H

#include "../../core/alert.h"
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

/* Hashes the policy, mode and target of a line, and the code that it names. `target` and `caller` are members of the line; an
 * empty `caller`: not searched. */
struct reported hash_violation(const struct alert *alert, struct text target, struct text caller);
/* Whether one of this second's `lines` of its policy reported the violation, with the same caller, where that was searched. */
bool is_reported(const struct reported *violation, uint32_t policy, uint32_t lines);
/* Records it; `line` is the index of its line in this second. */
void record_reported(const struct reported *violation, uint32_t policy, uint32_t line);

/* Keeps the last target that was left out; one over TARGET_MAX is not kept. Of FOLDED ones it keeps each entry, while there is
 * room (left_entries). */
void keep_target(uint32_t policy, uint32_t kind, struct text text, struct text entry);
/* Writes the kept target, and the entries, into a line. */
void put_target(struct writer *w, uint32_t policy, uint32_t kind);
void forget_target(uint32_t policy, uint32_t kind);

#endif
