/* What lies where: the engine's own memory, which nobody may touch, and patched text, which stays as it is. */
#ifndef SHIELD_PROTECTED_RANGES_H
#define SHIELD_PROTECTED_RANGES_H

#include <stdbool.h>
#include <stdint.h>

/* A text that its loader is still to write to is both RANGE_TEXT and RANGE_UNRELOCATED: it never ran. */
enum range_kind { RANGE_FREE = 0, RANGE_ENGINE = 1, RANGE_TEXT = 2, RANGE_UNRELOCATED = 4 };

/* Pages that nobody may change, unmap or make writable. False when the table is full. */
bool protect_range(uint64_t low, uint64_t high);
/* Text that may not become writable, nor be thrown away and read again from the file. The range of its
 * trampolines begins there; 0: it needs none. */
bool protect_text(uint64_t low, uint64_t high, uint64_t trampolines);
/* The same, until it is forgotten: text that is not searched yet. */
bool protect_unrelocated_text(uint64_t low, uint64_t high);
/* Is it that, from its beginning to its end? */
bool is_unrelocated_text(uint64_t low, uint64_t high);

/* Nothing of them was ever below. Where memory that can be written and run is allowed, what changes lower down is not looked
 * at: gate.S reads it. */
extern uint64_t lowest_range __attribute__((visibility("hidden")));

/* Which kinds lie, at least partly, in a range; or whether one does. */
uint32_t kinds_within(uint64_t low, uint64_t high);
bool overlaps(uint64_t low, uint64_t high, enum range_kind kind);
/* Does the range hold a part of some patched text, but not all of it? Only whole texts may go. */
bool cuts_text(uint64_t low, uint64_t high);
/* Texts that lie within the range are gone, and their trampolines go. Nobody else prepares a text or changes mappings
 * meanwhile. */
void forget_texts(uint64_t low, uint64_t high);

#endif
