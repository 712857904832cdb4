/* The ranges of the engine's own memory, which the program may not change, and of patched text, which stays as it is. */
#ifndef SHIELD_PROTECTED_RANGES_H
#define SHIELD_PROTECTED_RANGES_H

#include <stdbool.h>
#include <stdint.h>

/* A text that its loader has yet to relocate is both RANGE_TEXT and RANGE_UNRELOCATED: it never ran. */
enum range_kind { RANGE_FREE = 0, RANGE_ENGINE = 1, RANGE_TEXT = 2, RANGE_UNRELOCATED = 4 };

/* Pages that no call may change, unmap or make writable. False when the table is full. */
bool protect_range(uint64_t low, uint64_t high);
/* Text that may not become writable, nor be thrown away and read again from the file. The range of its
 * trampolines begins there; 0: it needs none. */
bool protect_text(uint64_t low, uint64_t high, uint64_t trampolines);
/* The same for text that is not searched yet, until it is forgotten. */
bool protect_unrelocated_text(uint64_t low, uint64_t high);
/* Is the range exactly such a text? */
bool is_unrelocated_text(uint64_t low, uint64_t high);

/* The lowest address of all ranges so far. Where writable executable memory is allowed, gate.S lets changes below it pass. */
extern uint64_t lowest_range __attribute__((visibility("hidden")));

/* The kinds of protected ranges that overlap a range; or whether one does. */
uint32_t kinds_within(uint64_t low, uint64_t high);
bool overlaps(uint64_t low, uint64_t high, enum range_kind kind);
/* Does the range hold a part of some patched text, but not all of it? Only whole texts may be unmapped. */
bool cuts_text(uint64_t low, uint64_t high);
/* Forgets the texts within the range, which are unmapped, and unmaps their trampolines. The caller holds mapping_lock. */
void forget_texts(uint64_t low, uint64_t high);

#endif
