/* Tries, before arming, each system call and each option that a promise or an alert needs, in the form in which it is made
 * later. A sandbox's filter (seccomp(2)) may refuse a call, or kill the process that makes it. So a forked copy tries them,
 * with its own memory, as a core dump would end all processes that share it (Linux before 5.16).
 *
 * The wrapper does this for the function that it starts, and the library where there is no wrapper.
 */
#ifndef SHIELD_NEEDED_CALLS_H
#define SHIELD_NEEDED_CALLS_H

#include "../../core/policy.h"

/* More than the library and libc take beside a program's segments. With lower limits of memory (RLIMIT_AS, RLIMIT_DATA) the
 * loader would continue without the library. */
enum { NEEDED_MEMORY = 32 << 20 };

/* For each row of the table (call_trials.h): 0, an errno, or ENDS_PROCESS. */
enum { NEEDED_CALLS_MAX = 80, ENDS_PROCESS = -1 };
struct call_results {
    int32_t of[NEEDED_CALLS_MAX];
};

/* False: there is no memory. */
bool try_calls(struct call_results *results);
/* Whether the calls that the policy needs work. False: `error` names the call and its use. */
bool has_needed_calls(const struct call_results *results, const struct policy *p, struct writer *error);
/* Whether a filter kills the process for one of them. Then only necessary calls are made. */
bool is_a_call_deadly(const struct call_results *results);

#endif
