/* Tries system calls and options that the shield needs, in the form in which they are made later: a sandbox's filter
 * (seccomp(2)) may refuse one. needed_calls.c has those without which the armed shield would be weak or silent, or the program
 * would fail; a process that no wrapper started tries them itself. wrapper/call_trials.c has the others.
 *
 * A filter that kills the process for a call kills the process that tries it. Only the wrapper survives that, and names it.
 */
#ifndef SHIELD_NEEDED_CALLS_H
#define SHIELD_NEEDED_CALLS_H

#include "../../core/policy.h"

/* More than the library and libc take beside a program's segments. With lower limits of memory (RLIMIT_AS, RLIMIT_DATA) the
 * loader would continue without the library. */
enum { NEEDED_MEMORY = 32 << 20 };

/* Tries needed_calls in this process. False: `error` names the one that the policy needs and that is refused. */
bool has_needed_calls(const struct policy *p, struct writer *error);

#endif
