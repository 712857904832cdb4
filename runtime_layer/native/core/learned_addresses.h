/* A table from addresses to the allowed names that resolved to them.
 *
 * It has a fixed size. The gate fills it from DNS answers and reads it before a connect. It is lock-free: the gate runs in
 * signal handlers and vfork children, where waiting for a lock can never end. A reader skips a slot that is being written,
 * so an address keeps two names for each rule: one is readable while the other is written. A flood of names evicts the
 * oldest of its set.
 */
#ifndef SHIELD_LEARNED_ADDRESSES_H
#define SHIELD_LEARNED_ADDRESSES_H

#include "endpoint.h"
#include "text.h"

enum { NAMES_SETS = 512, NAMES_WAYS = 8, NAME_KEPT = 96, NAMES_RECENT = 16 };

/* The part of the policy that admitted the name: an index into policy.outbound, or one of these. */
enum { RULE_AWS = 0xfffe, RULE_NONE = 0xffff };

/* Any thread writes and reads a slot. The sequence orders the rest: acquire to take and to read, release to give back. */
struct learned_address {
    uint32_t sequence; /* odd while being written */
    uint32_t age; /* the table's clock when it was learned; 0: empty. Relaxed: it chooses the slot to lose */
    struct address ip;
    uint16_t rule;
    uint8_t name_len;
    char name[NAME_KEPT]; /* for alert lines; a longer name keeps its end, which identifies the domain */
};

/* Any thread writes the first three, relaxed: each is one word, and readers check the slot that `recent` names. */
struct names {
    uint32_t clock;
    /* The newest slots, each as its number plus one, and the count of all. */
    uint16_t recent[NAMES_RECENT];
    uint32_t noted;
    struct learned_address slots[NAMES_SETS][NAMES_WAYS];
};

void names_learn(struct names *n, const struct address *ip, uint16_t rule, struct text name);
/* Calls `each` for every entry of this address, the newest first, until it returns true; returns whether one did. */
bool names_find(const struct names *n, const struct address *ip,
                bool (*each)(void *context, uint16_t rule, struct text name), void *context);

/* Writes the newest entries, at most NAMES_RECENT, for a new program: "RULE/ADDRESS/NAME" between commas. */
void names_write_recent(const struct names *n, struct writer *w);
/* Reads that text, for a policy with `rules` rules. Malformed entries are skipped. */
void names_learn_written(struct names *n, struct text written, uint16_t rules);

#endif
