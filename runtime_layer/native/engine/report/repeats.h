/* The violations reported in this second: repetitions are counted, so that a storm of one kind leaves lines to all others. And
 * the last target of those left out, for the line that counts them. */
#ifndef SHIELD_REPEATS_H
#define SHIELD_REPEATS_H

#include "../../core/alert.h"
#include "../state/process_state.h"

/* Hashes the policy, mode and target of a line to be written, and the code that it names. `target` and `caller` are members of
 * its line; an empty `caller`: not looked up. */
struct told hash_violation(const struct alert *alert, struct text target, struct text caller);
/* Did one of this second's `lines` about its policy report it? By the same code, where that was looked up. */
bool was_told(const struct told *violation, uint32_t policy, uint32_t lines);
/* `line`: the number of its line in this second. */
void record_told(const struct told *violation, uint32_t policy, uint32_t line);

/* Keeps the last target that was left out; one over TARGET_MAX is not kept. */
void keep_target(uint32_t policy, uint32_t kind, struct text text);
/* Writes the kept target into a line. */
void put_target(struct writer *w, uint32_t policy, uint32_t kind);
void forget_target(uint32_t policy, uint32_t kind);

#endif
