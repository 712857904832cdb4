/* The shield at work, from its start to the next event: what `shield doctor` tries with an interpreter that is there. */
#ifndef SHIELD_WHOLE_WAY_H
#define SHIELD_WHOLE_WAY_H

#include "probe_runner.h"

/* The program to try it with, if it is one that is known; NULL: the first of a few that is there. */
void choose_interpreter(const char *program);
/* Arms, asks a runtime API for an event, is refused /tmp, and reads the alert. The finding says how far it came. */
void fact_whole_way(struct finding *f);
/* The system calls that the strictest policy needs (engine/trials/needed_calls.h). */
void fact_needed_calls(struct finding *f);

#endif
