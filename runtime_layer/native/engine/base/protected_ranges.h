/* The ranges of the engine's memory and of patched text, which the program may not change. */
#ifndef SHIELD_PROTECTED_RANGES_H
#define SHIELD_PROTECTED_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum range_kind {
    RANGE_FREE = 0,
    RANGE_ENGINE = 1, /* pages that no call may change, unmap or make writable */
    RANGE_TEXT = 2,   /* text that may not become writable, nor be dropped and reread from its file */
    RANGE_UNRELOCATED =
        4 /* with RANGE_TEXT: its loader has not relocated it, so it is not searched, and has not run */
};

/* `trampolines`, of a text: the start of the range with its trampolines; 0: none. False when the table is full. */
bool protect_range(uint64_t low, uint64_t high, uint32_t kind, uint64_t trampolines);
/* Whether the range is exactly a text that is not relocated. */
bool is_unrelocated_text(uint64_t low, uint64_t high);

/* The lowest address of all ranges. Where writable executable memory is allowed, gate.S passes changes below it. */
extern uint64_t lowest_range __attribute__((visibility("hidden")));

/* The kinds of the protected ranges that overlap a range; and whether any does. */
uint32_t kinds_within(uint64_t low, uint64_t high);
bool overlaps(uint64_t low, uint64_t high, enum range_kind kind);
/* Whether the range holds only a part of some patched text. Only whole texts may be unmapped. */
bool cuts_text(uint64_t low, uint64_t high);
/* Removes the unmapped texts within the range, and unmaps their trampolines. The caller holds the lock of mappings. */
void forget_texts(uint64_t low, uint64_t high);

#endif
