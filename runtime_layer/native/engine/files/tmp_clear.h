/* clear_tmp: deletes files made in /tmp since the function's first event. */
#ifndef SHIELD_TMP_CLEAR_H
#define SHIELD_TMP_CLEAR_H

#include "../state/sealed_state.h"

/* False: several invocations run at once, so at no moment is /tmp unused; `error` says so. */
bool can_clear_tmp(const struct sealed *s, struct writer *error);
/* Watches for the next event from now on. In a function's first process, files of an earlier one that ended in an invocation
 * are deleted as well; not where code switches clear_tmp on, as code of this start may have made them. */
void watch_tmp(bool is_first, bool by_code);
/* The runtime is about to ask for an event. */
void clear_tmp(void);
/* The times that give a file's age in /tmp: "birth" or "change"; empty where nothing is cleared. Before the first event. */
struct text times_of_tmp(void);

#endif
