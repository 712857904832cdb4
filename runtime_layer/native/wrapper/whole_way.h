/* The shield at work, from its start to the next event: a trial of `shield doctor` with an interpreter of the machine. */
#ifndef SHIELD_WHOLE_WAY_H
#define SHIELD_WHOLE_WAY_H

#include "probe_runner.h"

/* Chooses the program for the trial, if it is a known one; NULL: the first of a few that exists. */
void choose_interpreter(const char *program);
/* Arms, asks a runtime API for an event, is refused /tmp, and reads the alert. The finding names the last step. */
void fact_whole_way(struct finding *f);
/* The system calls that the strictest policy needs (engine/trials/needed_calls.h). */
void fact_needed_calls(struct finding *f);

#endif
