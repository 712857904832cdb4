/* Which descriptors the gate is using now, and which are being closed or replaced.
 *
 * What was judged through a descriptor must be what is opened through it. So the gate holds its descriptors during a
 * call, and whoever closes a descriptor, or lays another over it, says so first and waits for those that are held.
 * Each side makes its claim before it looks for the other's: one of them always sees the other.
 */
#ifndef SHIELD_CLAIMS_H
#define SHIELD_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

enum { CLAIMS = 512 };
/* In memory that a forked copy does not take along; a vfork child shares it. */
struct claims {
    uint32_t held_now; /* how many of them are holds */
    uint32_t used;     /* slots that were ever taken */
    uint64_t slots[CLAIMS];
};

/* Holds a descriptor that the gate just made. Returns it, or another for the same file, or an errno; errors are passed
 * through. */
int64_t hold(int64_t descriptor);
/* Holds a descriptor of the caller's own: 0, or -EBUSY. */
int64_t hold_theirs(int64_t descriptor);
void let_go(int64_t descriptor);
/* Lets go and closes; nothing for an error. */
void close_held(int64_t descriptor);

/* Before descriptors from `first` to `last` are closed or replaced: waits until nobody holds them. Returns a claim for
 * change_end, or -1: one is held for longer than any call takes, as an open that waits for a FIFO's other end. */
int32_t change_begin(uint32_t first, uint32_t last);
void change_end(int32_t claim);

/* The same for what lies where in memory: one thread at a time prepares a text, and meanwhile nobody else changes
 * mappings. 0, or -EAGAIN when others take too long. */
int64_t hold_mappings(void);
void let_mappings_go(void);
int32_t change_mappings_begin(void);

#endif
