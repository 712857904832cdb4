/* clear_tmp: deletes files created in /tmp since the function's first event. */
#ifndef SHIELD_TMP_CLEAR_H
#define SHIELD_TMP_CLEAR_H

#include "../state/sealed_state.h"

/* False, with `error`: several invocations run at once, so /tmp is always in use. */
bool can_clear_tmp(const struct sealed *s, struct writer *error);
/* Begins to watch for the next event. In a function's first process, files of an earlier process that ended in an invocation
 * are deleted too; not where code switches clear_tmp on, as code of this start may have created them. */
void watch_tmp(bool is_first, bool by_code);
/* Must be called before the runtime asks for an event. */
void clear_tmp(void);
/* The kind of time that is a file's age in /tmp: "birth" or "change"; empty where nothing is cleared. Called before the first
 * event. */
struct text times_of_tmp(void);

#endif
