/* Reads a policy from the function's own code: the first one, or one that makes the modes in force stricter. */
#ifndef SHIELD_TIGHTEN_H
#define SHIELD_TIGHTEN_H

#include "policy.h"

/* Room for two settings' values as text. */
enum { TIGHTEN_SCRATCH = 81920 };

/* Reads lines from code: only the settings of a policy, as text without control characters. False: `error` names the field,
 * as code spells it, and the fix. */
bool policy_from_code(struct policy *p, struct text lines, struct writer *error);
/* Gives `p` the modes of `wanted`, from policy_from_code. False: `error` names the field that would get looser, or that
 * differs and is no mode; `p`, which is the caller's copy, may be half changed. */
bool policy_tighten(struct policy *p, struct policy *wanted, char *scratch, struct writer *error);

#endif
