/* Armed means armed: each system call, and each option of one, that a promise or an alert needs is tried before arming, in the
 * form in which it is made later. A sandbox's filter (seccomp(2)) may refuse any, or end whoever makes it, so a forked copy
 * tries them: one with memory of its own, as a dump of its core would end all that share it (Linux before 5.16).
 *
 * The wrapper does this for the function that it starts, and the library where there is no wrapper.
 */
#ifndef SHIELD_NEEDED_CALLS_H
#define SHIELD_NEEDED_CALLS_H

#include "../../core/policy.h"

/* Of each row of the table (call_trials.h): 0, an errno, or ENDS_PROCESS. */
enum { NEEDED_CALLS_MAX = 80, ENDS_PROCESS = -1 };
struct call_results {
    int32_t of[NEEDED_CALLS_MAX];
};

/* False: there is no memory for it. */
bool try_calls(struct call_results *results);
/* Is all there that the policy needs? False: `error` names the call, and what it is needed for. */
bool has_needed_calls(const struct call_results *results, const struct policy *p, struct writer *error);
/* Does one of them end whoever makes it? Then nothing is called that need not be. */
bool is_a_call_deadly(const struct call_results *results);

#endif
