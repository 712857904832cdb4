/* Tries each system call and each option that a promise or an alert needs, before the engine is loaded. */
#ifndef SHIELD_CALL_TRIALS_H
#define SHIELD_CALL_TRIALS_H

#include "../core/policy.h"

/* Whether the calls that the policy needs work. False: `error` names the first that does not, and its use. */
bool try_calls(const struct policy *policy, struct writer *error);

#endif
