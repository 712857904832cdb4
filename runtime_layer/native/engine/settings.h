/* From the process's environment to the sealed policy and the facts around it. */
#ifndef SHIELD_SETTINGS_H
#define SHIELD_SETTINGS_H

#include "state.h"

/* What a parent (the wrapper, or the gate of the process that started this one) says of this process, in
 * SHIELD_STATE. */
enum origin { ORIGIN_NONE, ORIGIN_STARTING, ORIGIN_RUNNING, ORIGIN_READY };

struct start {
    enum origin origin;
    int32_t inherited_log;
    struct writer *error;
};

/* Reads /proc/self/environ and the policy file, fills sealed.policy and everything that depends on the
 * environment. False: `error` says why the shield cannot arm. */
bool settings_read(struct start *start);
/* Gives the children what this process found out (known_sites.h). False: it does not fit. */
bool settings_keep_known_sites(struct text known);

#endif
