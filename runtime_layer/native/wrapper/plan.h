/* The programs to start: the runtime, and the wrapper before it. */
#ifndef SHIELD_PLAN_H
#define SHIELD_PLAN_H

#include "policy_file.h"

struct plan {
    char runtime[PATH_BYTES]; /* absolute */
    char next[PATH_BYTES];    /* absolute; empty: no other wrapper */
};

/* Finds both, and checks that the loader will load the library into them. False: `error` has the reason. */
bool plan_shielded(struct plan *plan, const struct policy *policy, const char *program, struct writer *error);
/* The same without checks and without a policy, which may have the error. A next wrapper that is not found is left out.
 * `next` is the text of SHIELD_NEXT_WRAPPER. */
bool plan_unshielded(struct plan *plan, const char *next, const char *program, struct writer *error);

#endif
