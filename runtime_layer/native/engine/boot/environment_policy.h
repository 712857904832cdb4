/* From the process's environment to the sealed policy and the facts around it. */
#ifndef SHIELD_ENVIRONMENT_POLICY_H
#define SHIELD_ENVIRONMENT_POLICY_H

#include "../state/sealed_state.h"

/* What a parent (the wrapper, or the gate of the process that started this one) says of this process, in
 * SHIELD_STATE. */
enum origin { ORIGIN_NONE, ORIGIN_STARTING, ORIGIN_RUNNING, ORIGIN_READY };

/* What a function's environment says of it, beside its settings: texts in it. */
enum { CARRIED_COUNT = 12 };
struct facts_found {
    struct text from_parent[CARRIED_COUNT];
    struct text own[CARRIED_COUNT];
    struct text policy_file;
    struct text learnt;  /* by the parent */
    struct text account; /* SHIELD_ACCOUNT_ID */
    struct text runtime; /* AWS_EXECUTION_ENV */
    bool preloaded;      /* by whoever started this program */
};

struct start {
    struct text environment; /* of this process */
    struct facts_found found;
    enum origin origin;
    const struct policy
        *from_code;        /* the policy that code gave (configure.h); NULL: it is in the environment */
    bool nobody_asked;     /* the library was loaded by a program that has no setting of ours */
    int32_t inherited_log; /* a descriptor; -1: none */
    bool is_quiet;         /* a filter ends whoever makes some call */
    uint64_t began;        /* monotonic_micros(), once it may be called */
    struct writer *error;
};

/* False: the kernel does not show this process's environment. */
bool read_environment(struct start *start);
void drop_environment(struct start *start);
/* The policy, and which function this is: from the environment, and the policy file. False: `error` says why the shield
 * cannot arm. */
bool read_policy(struct start *start);
/* Everything else that depends on the environment. */
bool read_facts(struct start *start);
/* For a policy that got stricter: its modes as the children get them from now on. False: they do not fit. */
bool update_child_modes(struct sealed *s, const struct policy *wanted, struct writer *error);

#endif
