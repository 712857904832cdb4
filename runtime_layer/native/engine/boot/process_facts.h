/* What is sealed of this process: its program, its environment, and what its children get. */
#ifndef SHIELD_PROCESS_FACTS_H
#define SHIELD_PROCESS_FACTS_H

#include "../sites/loaded_objects.h"
#include "environment_policy.h"

/* Which function this is, for all that is written from now on. */
void read_origin(struct process_facts *p, const struct start *start);
/* False: start->error says why the shield cannot arm. */
bool read_process_facts(struct process_facts *p, const struct start *start);
/* `inherited`: by a parent; -1: none. */
void open_log(struct process_facts *p, const struct policy *policy, int32_t inherited);
/* As patch_loaded_objects does. The process is armed then. */
bool patch_program(struct process_facts *p, struct armed_objects *objects, struct writer *error);
/* For `policy`, which is stricter by what is `wanted`: its modes as the children get them from now on. False: they do not fit. */
bool tighten_process(struct process_facts *p, const struct policy *policy, struct policy *wanted,
                     struct writer *error);

#endif
