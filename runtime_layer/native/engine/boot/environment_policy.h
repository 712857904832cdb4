/* From the process's environment to the sealed policy and the facts around it. */
#ifndef SHIELD_ENVIRONMENT_POLICY_H
#define SHIELD_ENVIRONMENT_POLICY_H

#include "../state/sealed_state.h"

/* What a parent (the wrapper, or the gate of the process that started this one) says of this process, in
 * SHIELD_STATE. */
enum origin { ORIGIN_NONE, ORIGIN_STARTING, ORIGIN_RUNNING, ORIGIN_READY };

struct start {
    enum origin origin;
    const struct policy
        *from_code;    /* the policy that code gave (configure.h); NULL: it is in the environment */
    bool nobody_asked; /* the library was loaded by a program that has no setting of ours */
    int32_t inherited_log, inherited_record; /* descriptors; -1: none */
    struct writer *error;
};

/* Reads /proc/self/environ and the policy file, fills sealed.policy and everything that depends on the
 * environment. False: `error` says why the shield cannot arm. */
bool read_settings(struct start *start);
/* For a policy that got stricter: its modes as the children get them from now on. False: they do not fit. */
bool update_child_modes(struct sealed *s, const struct policy *wanted, struct writer *error);

#endif
