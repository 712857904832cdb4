/* clear_tmp: deletes what was made in /tmp since the function's first event. */
#ifndef SHIELD_TMP_CLEAR_H
#define SHIELD_TMP_CLEAR_H

#include "../state/sealed_state.h"

/* False: where several invocations run at once there is no moment at which /tmp is nobody's; `error` says so. */
bool can_clear_tmp(const struct sealed *s, struct writer *error);
/* From now on the next event is watched for. In a function's first process what an earlier one made goes as well, if that ended
 * in an invocation; not where code switches it on, as by then code of this start may have made anything. */
void watch_tmp(bool is_first, bool by_code);
/* The runtime is about to ask for an event. */
void clear_tmp(void);
/* By what a file's age is told in /tmp: "birth" or "change"; empty where nothing is cleared. Before the first event. */
struct text times_of_tmp(void);

#endif
