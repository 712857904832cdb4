/* A policy that the function's own code gives: it may be the first one, or one that makes the policy in force stricter.
 *
 * What is in force may lose entries and gain strictness, never the other way round. Entries stay at their index: those
 * that are gone are marked, because addresses were learnt by the rule that admitted them (names.h).
 */
#ifndef SHIELD_TIGHTEN_H
#define SHIELD_TIGHTEN_H

#include "policy.h"

/* Reads lines that code gives: the settings of a policy and nothing else, as text without control characters. False:
 * `error` names the field, as code spells it, and the fix. */
bool policy_from_code(struct policy *p, struct text lines, struct writer *error);
/* Makes `p` what `wanted` asks for, in all that was given there. False: `error` names the field that would get looser,
 * and `p` may be half changed: it is the caller's copy. */
bool policy_tighten(struct policy *p, const struct policy *wanted, struct writer *error);

#endif
