/* Which system calls the policy needs to see, and who judges each: one table. */
#ifndef SHIELD_DISPATCH_H
#define SHIELD_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../../core/text.h"
#include "../base/syscall_ctx.h"

/* The newest call in the list; what is newer is not let through unseen. */
enum { NEWEST_CALL = 471 };

struct sealed;

/* Before a site is looked for, and before the table is filled. */
void list_guarded_calls(void);
/* Fills a gate table for a policy; GATE_READY is set there already. */
void guard_calls(uint8_t *table, const struct sealed *s);
/* Is this table, which can no longer change, the one of a policy? */
bool guards_are(const uint8_t *table, const struct sealed *s, bool ready);
/* Is there a policy that could alert? */
bool reports_anything(const struct sealed *s);
/* Could a policy ask to see it, this one or one that a later call makes? All such sites are patched at once: a policy
 * that gets stricter changes a table, no code. */
bool may_be_guarded(int64_t nr);
/* For alert lines; empty when the call is not in the table. */
struct text syscall_name(int64_t nr);

#endif
