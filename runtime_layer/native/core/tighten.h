/* A policy that the function's own code gives: the first one, or one that makes the modes in force stricter. */
#ifndef SHIELD_TIGHTEN_H
#define SHIELD_TIGHTEN_H

#include "policy.h"

/* Room for two settings' values as text. */
enum { TIGHTEN_SCRATCH = 81920 };

/* Reads lines that code gives: the settings of a policy and nothing else, as text without control characters. False:
 * `error` names the field, as code spells it, and the fix. */
bool policy_from_code(struct policy *p, struct text lines, struct writer *error);
/* Gives `p` the modes of `wanted`, which is of policy_from_code. False: `error` names the field that would get looser, or
 * that is no mode and differs, and `p` may be half changed: it is the caller's copy. */
bool policy_tighten(struct policy *p, struct policy *wanted, char *scratch, struct writer *error);

#endif
