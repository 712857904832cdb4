/* A trial of `shield doctor`: runs a short program with an interpreter of the machine, from the start to an alert. */
#ifndef SHIELD_INTERPRETER_TRIAL_H
#define SHIELD_INTERPRETER_TRIAL_H

#include "probe_runner.h"

/* Chooses the program for the trial, if it is a known one; NULL: the first of a few that exists. */
void choose_interpreter(const char *program);
/* The program arms the shield, asks a runtime API for an event, and is refused /tmp; then the alert is read. The finding
 * names the last step. */
void fact_interpreter_trial(struct finding *f);
/* The system calls that the strictest policy needs (call_trials.h). */
void fact_needed_calls(struct finding *f);

#endif
