/* Which descriptors the gate is using now and which are being closed or replaced; who prepares a text and who changes
 * mappings.
 *
 * What was judged through a descriptor must be what is used through it. So the gate holds it until then, and whoever
 * closes a descriptor, or lays another over it, says so first and looks whether it is held. Each side makes its claim
 * before it looks for the other's: one of them always sees the other. While a call waits for something that may never
 * come, nothing is held but a number of the gate's own, out of everybody's way.
 */
#ifndef SHIELD_FD_PINS_H
#define SHIELD_FD_PINS_H

#include <stdbool.h>
#include <stdint.h>

enum { FAR_NUMBER = 100 /* the gate's own from here on: programs count on small numbers */ };
enum { CLAIMS = 1024 /* as many as Lambda lets there be threads */, KIN_MAX = 64 };
/* In memory that a forked copy does not take along; a vfork child shares it. */
struct claims {
    uint32_t held_now; /* how many of them keep others from something */
    uint32_t used;     /* slots that were ever taken; the first of them are in the same cache line */
    uint64_t slots[CLAIMS];
    uint32_t kin[KIN_MAX]; /* processes that share the memory, and claim something */
};

/* Holds a descriptor that the gate just made. Returns it, or another for the same file, or an errno; errors are passed
 * through. */
int64_t hold(int64_t descriptor);
/* Holds a descriptor of the caller's own: 0, or -EBUSY. */
int64_t hold_theirs(int64_t descriptor);
void let_go(int64_t descriptor);
/* Lets go and closes; nothing for an error. */
void close_held(int64_t descriptor);

/* Before a descriptor is closed or replaced. Returns a claim for change_end, or -1: it is held, which to the program
 * means that it is not open. `waits`: not before some milliseconds. */
int32_t change_begin(uint32_t descriptor, bool waits);
/* Before many are closed: all but those that are held, the next of which is `next_held`. A claim, or -1. */
int32_t change_many_begin(void);
/* The lowest held descriptor that is not below `from`; UINT32_MAX: there is none. */
uint32_t next_held(uint32_t from);
void change_end(int32_t claim);
/* Is this thread in the midst of a call that claims something? Then a signal handler asks. */
bool has_claims(void);

/* The same for what lies where in memory: one thread at a time prepares a text, and meanwhile nobody else changes
 * mappings. 0, or -EAGAIN when others take too long. */
int64_t prepare_begin(void);
void prepare_end(void);
/* Is this thread changing mappings? Then a signal handler asks, and the change could fall on what it prepares. */
bool is_laying(void);
/* Returns a claim for change_end, or -1. */
int32_t lay_begin(void);

#endif
