/* Which violations a line told of in this second: what comes again is counted, so that a storm of one kind leaves lines to all
 * others. And the target of what was left out, for the line that counts it. */
#ifndef SHIELD_REPEATS_H
#define SHIELD_REPEATS_H

#include "../../core/alert.h"
#include "../state/process_state.h"

/* Of a line that is to be written: its policy, mode and target, and the code that it names. `target` and `caller` are
 * members of its line; an empty `caller`: nobody looked. */
struct told hash_violation(const struct alert *alert, struct text target, struct text caller);
/* Did one of the `lines` of this second about its policy tell of it, by the same code where somebody looked? */
bool was_told(const struct told *violation, uint32_t policy, uint32_t lines);
/* `line`: the number of its line in this second. */
void record_told(const struct told *violation, uint32_t policy, uint32_t line);

/* Keeps the last target of what is left out; too long a one is not kept. */
void keep_target(uint32_t policy, uint32_t kind, struct text text);
/* Puts it into a line, and forgets it if told to. */
void put_target(struct writer *w, uint32_t policy, uint32_t kind);
void forget_target(uint32_t policy, uint32_t kind);

#endif
