/* Records the violations reported in this second, so that repetitions are only counted, and a storm of one kind leaves lines to
 * others. Keeps the last target of those left out, and the entries of the first ones, for the line that counts them. */
#ifndef SHIELD_REPEATS_H
#define SHIELD_REPEATS_H

#include "../../core/alert.h"
#include "../state/process_state.h"

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
