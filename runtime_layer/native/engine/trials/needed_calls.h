/* Armed means armed: each system call, and each option of one, that a promise or an alert needs is tried before arming, in the
 * form in which it is made later. A sandbox's filter (seccomp(2)) may refuse any, or kill the process that makes it, so a
 * forked copy tries them: one with its own memory, as a core dump would end all processes that share it (Linux before 5.16).
 *
 * The wrapper does this for the function that it starts, and the library where there is no wrapper.
 */
#ifndef SHIELD_NEEDED_CALLS_H
#define SHIELD_NEEDED_CALLS_H

#include "../../core/policy.h"

/* For each row of the table (call_trials.h): 0, an errno, or ENDS_PROCESS. */
enum { NEEDED_CALLS_MAX = 80, ENDS_PROCESS = -1 };
struct call_results {
    int32_t of[NEEDED_CALLS_MAX];
};

/* False: there is no memory for it. */
bool try_calls(struct call_results *results);
/* Do the calls work that the policy needs? False: `error` names the call and its use. */
bool has_needed_calls(const struct call_results *results, const struct policy *p, struct writer *error);
/* Does one of them kill the process? Then only necessary calls are made. */
bool is_a_call_deadly(const struct call_results *results);

#endif
