/* Reads the policy, and facts about the function, from the process's environment. */
#ifndef SHIELD_ENVIRONMENT_POLICY_H
#define SHIELD_ENVIRONMENT_POLICY_H

#include "../state/sealed_state.h"

enum { POLICY_FILE_MAX = 1 << 16, ENVIRON_MAX = 1 << 23 /* of the environment, and of the arguments */ };

/* The origin of this process, from SHIELD_STATE, which the wrapper or the parent's gate sets. */
enum origin { ORIGIN_NONE, ORIGIN_STARTING, ORIGIN_RUNNING, ORIGIN_READY };

/* Facts of the runtime's environment that a child's verdicts depend on. The gate passes them to a child under separate names,
 * as the program may start the child with an empty environment. */
enum carried_fact {
    REGION = 0,
    FUNCTION = 1,
    VERSION = 2,
    FIRST_ADDRESS = 3,
    LAST_ADDRESS = 5,
    INITIALIZATION = 6,
    TASK_ROOT = 7,
    FIRST_HANDLER = 8,
    CARRIED_COUNT = FIRST_HANDLER + HANDLER_SETTINGS
};
extern const char carried_facts[CARRIED_COUNT][31] __attribute__((visibility("hidden")));

/* Facts from the environment besides settings; texts lie in it. */
struct facts_found {
    struct text from_parent[CARRIED_COUNT];
    struct text own[CARRIED_COUNT];
    struct text policy_file;
    struct text runtime_path, known_sites, learned; /* from the parent */
    struct text loader_preload, loader_path;        /* LD_PRELOAD, LD_LIBRARY_PATH */
    struct text account;                            /* SHIELD_ACCOUNT_ID */
    struct text runtime;                            /* AWS_EXECUTION_ENV */
    bool preloaded;                                 /* the parent preloaded the library */
    bool has_ffi_option;                            /* NODE_OPTIONS has it (native_code.h) */
};

struct start {
    struct text environment; /* of this process */
    struct facts_found found;
    enum origin origin;
    const struct policy *from_code; /* the policy from code (configure.c); NULL: it is in the environment */
    bool has_no_settings;           /* the program loaded the library, and has no setting */
    int32_t inherited_log;          /* a descriptor; -1: none */
    uint64_t began;                 /* monotonic_micros(), once it may be called */
    char program_path[PAGE];
    bool has_node_ffi;   /* Node.js was started with its bridge, which is not allowed */
    struct text program; /* the path of this process's program */
    struct writer *error;
};

/* Writes the reason why the shield cannot arm. Returns false. */
static inline bool fail(struct writer *error, const char *why)
{
    put_words(error, why);
    return false;
}

/* False: the kernel does not show this process's environment. */
bool read_environment(struct start *start);
void drop_environment(struct start *start);
/* Whether NODE_OPTIONS or an argument turned on the foreign-function interface of Node.js. True where the arguments cannot be
 * read. */
bool has_node_ffi(const struct start *start);
/* False: `error` has the reason why the shield cannot arm. */
bool read_policy(struct policy *policy, struct start *start);
/* Sets the mode of self_protection to the strictest one, where clear_tmp and deny_outbound count as block. Without a setting,
 * executable_memory gets the strictest mode of the others, or allow where the runtime needs it. */
void derive_modes(struct policy *policy, bool memory_by_runtime, enum language language);
/* The same for a later policy from code, by the rules of policy_tighten (core/tighten.h). */
bool tighten_policy(struct policy *policy, struct policy *wanted, char *scratch, struct writer *error);

static inline bool is_child(const struct start *start)
{
    return start->origin >= ORIGIN_RUNNING;
}
/* The value of a fact. A child gets only the values that the gate passed on, as the program chooses the child's environment. */
struct text choose_fact(const struct start *start, enum carried_fact fact);

#endif
