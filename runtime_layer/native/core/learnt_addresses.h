/* Which allowed name resolved to which address.
 *
 * A bounded table of fixed size that the gate fills from DNS answers and asks before a connect. Lock-free:
 * the gate runs in signal handlers and vfork children, where waiting for a lock can never end. A slot that
 * is being written is passed over: so an address keeps two names for each rule, and the one is there while the other
 * is written. A flood of names evicts the oldest of its set, never crashes.
 */
#ifndef SHIELD_LEARNT_ADDRESSES_H
#define SHIELD_LEARNT_ADDRESSES_H

#include "endpoint.h"
#include "text.h"

enum { NAMES_SETS = 512, NAMES_WAYS = 8, NAME_KEPT = 96, NAMES_RECENT = 16 };

/* Which part of the policy let the name through: an index into policy.outbound, or one of these. */
enum { RULE_AWS = 0xfffe, RULE_NONE = 0xffff };

struct learnt {
    uint32_t sequence; /* odd while being written */
    uint32_t age;      /* the table's clock when it was learnt; 0: empty */
    struct address ip;
    uint16_t rule;
    uint8_t name_len;
    char name[NAME_KEPT]; /* for alert lines; longer names keep their end, which is the part that tells */
};

struct names {
    uint32_t clock;
    /* The slots that were written or renewed last, each one more than its number, and how many ever were. */
    uint16_t recent[NAMES_RECENT];
    uint32_t noted;
    struct learnt slots[NAMES_SETS][NAMES_WAYS];
};

void names_learn(struct names *n, const struct address *ip, uint16_t rule, struct text name);
/* Calls `each` for every entry of this address, the newest first, until it returns true; returns whether one did. */
bool names_find(const struct names *n, const struct address *ip,
                bool (*each)(void *context, uint16_t rule, struct text name), void *context);

/* Writes the entries learnt last, at most NAMES_RECENT, for a program that is started: "RULE/ADDRESS/NAME" between commas. */
void names_write_recent(const struct names *n, struct writer *w);
/* Reads them again, for a policy with so many rules. Malformed entries are skipped. */
void names_learn_written(struct names *n, struct text written, uint16_t rules);

#endif
