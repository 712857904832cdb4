/* Reads the facts of this process: its program, its environment, and the settings for its children. */
#ifndef SHIELD_PROCESS_FACTS_H
#define SHIELD_PROCESS_FACTS_H

#include "../sites/loaded_objects.h"
#include "environment_policy.h"

/* Reads the function's identity for all lines. */
void read_origin(struct process_facts *p, const struct start *start);
/* False: start->error has the reason why the shield cannot arm. */
bool read_process_facts(struct process_facts *p, const struct start *start);
/* `inherited`: the parent's log descriptor; -1: none. */
void open_log(struct process_facts *p, const struct policy *policy, int32_t inherited);
/* Patches the program as patch_loaded_objects does; after that the process is armed. */
bool patch_program(struct process_facts *p, struct armed_objects *objects, struct writer *error);
/* Replaces the modes for children by those of `policy`, which `wanted` tightened. False: they do not fit. */
bool tighten_process(struct process_facts *p, const struct policy *policy, struct policy *wanted,
                     struct writer *error);

#endif
