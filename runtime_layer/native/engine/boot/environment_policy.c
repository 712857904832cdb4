/* Tests: tests/integration/launcher/test_refusals.py. */
#include "environment_policy.h"

#include "../../core/native_code.h"
#include "../../core/setting_table.h"
#include "../../core/tighten.h"
#include "../base/read_file.h"
#include "../base/user_memory.h"
#include "../state/child_settings.h"

const char carried_facts[][31] = {"AWS_REGION",
                                  "AWS_LAMBDA_FUNCTION_NAME",
                                  "AWS_LAMBDA_FUNCTION_VERSION",
                                  "AWS_LAMBDA_RUNTIME_API",
                                  "AWS_XRAY_DAEMON_ADDRESS",
                                  "AWS_LAMBDA_METADATA_API",
                                  "AWS_LAMBDA_INITIALIZATION_TYPE",
                                  "LAMBDA_TASK_ROOT",
                                  "_HANDLER",
                                  "ORIG_HANDLER",
                                  "DD_LAMBDA_HANDLER",
                                  "NEW_RELIC_LAMBDA_HANDLER"};
_Static_assert(sizeof carried_facts / sizeof *carried_facts == CARRIED_COUNT, "each has a text");

struct text choose_fact(const struct start *start, enum carried_fact fact)
{
    const struct facts_found *found = &start->found;
    return is_child(start) || found->from_parent[fact].len ? found->from_parent[fact] : found->own[fact];
}

/* "<stage>:<log descriptor>:<runtime>" */
static bool read_state(struct text value, struct start *start)
{
    struct text stage, log;
    uint32_t number;
    if (!text_next(&value, ':', &stage) || !text_next(&value, ':', &log))
        return false;
    if (text_equal(stage, TEXT("starting")))
        start->origin = ORIGIN_STARTING;
    else if (text_equal(stage, TEXT("running")))
        start->origin = ORIGIN_RUNNING;
    else if (text_equal(stage, TEXT("ready")))
        start->origin = ORIGIN_READY;
    else
        return false;
    start->inherited_log = text_number(log, 1 << 20, &number) ? (int32_t)number : -1;
    start->found.runtime_path = value;
    return true;
}

static bool names_library(struct text preload)
{
    struct text piece;
    while (preload.len && text_next(&preload, ':', &piece))
        if (text_equal(base_name(piece), TEXT("libshield.so")))
            return true;
    return false;
}

static void keep_first_value(struct text *kept, struct text value)
{
    if (!kept->at)
        *kept = value;
}

/* Records a fact of the function, which is kept even when its settings are refused. */
static void record_fact(struct text name, struct text value, struct facts_found *found)
{
    bool from_parent = text_starts(name, TEXT(STATE_PREFIX));
    if (from_parent)
        name =
            (struct text){name.at + sizeof STATE_PREFIX - 1, name.len - (uint32_t)(sizeof STATE_PREFIX - 1)};
    for (uint32_t i = 0; i < CARRIED_COUNT; i++)
        if (text_equal(name, text_of(carried_facts[i])))
            keep_first_value(from_parent ? &found->from_parent[i] : &found->own[i], value);
    if (text_equal(name, TEXT("SHIELD_ACCOUNT_ID")))
        keep_first_value(&found->account, value);
}

static bool take_variable(struct policy *policy, struct text name, struct text value, struct start *start)
{
    struct facts_found *found = &start->found;
    if (text_equal(name, TEXT("SHIELD_STATE")) && start->origin != ORIGIN_NONE)
        return true; /* a second value is the program's: the gate puts its own first */
    if (text_equal(name, TEXT("SHIELD_STATE")))
        return read_state(value, start) ||
               (put_words(start->error, "SHIELD_STATE is not one of ours"), false);
    if (text_equal(name, TEXT("LD_PRELOAD"))) {
        found->preloaded = names_library(value);
        found->loader_preload = value;
    }
    if (text_equal(name, TEXT("LD_LIBRARY_PATH")))
        found->loader_path = value;
    if (text_equal(name, TEXT(KNOWN_SITES))) /* likewise, the first is the gate's */
        keep_first_value(&found->known_sites, value);
    if (text_equal(name, TEXT(LEARNED_NAMES)))
        keep_first_value(&found->learned, value);
    if (text_equal(name, TEXT("AWS_EXECUTION_ENV")))
        keep_first_value(&found->runtime, value);
    if (text_equal(name, TEXT("NODE_OPTIONS")) && has_ffi_option(value)) /* any of several may count */
        found->has_ffi_option = true;
    if (text_starts(name, TEXT(STATE_PREFIX)) || text_equal(name, TEXT("AWS_REGION")))
        return true;
    if (!text_starts(name, TEXT("SHIELD_")))
        return true;
    if (text_equal(name, TEXT("SHIELD_POLICY_FILE")))
        found->policy_file = value;
    return policy_set(policy, name, value, start->error);
}

static bool take_environment(struct policy *policy, struct start *start)
{
    struct text environment = start->environment, variable;
    bool succeeds = true;
    while (environment.len && text_next(&environment, 0, &variable)) {
        uint32_t equals = 0;
        while (equals < variable.len && variable.at[equals] != '=')
            equals++;
        if (equals == variable.len)
            continue;
        struct text name = {variable.at, equals};
        struct text value = {variable.at + equals + 1, variable.len - equals - 1};
        record_fact(name, value, &start->found);
        succeeds = succeeds && take_variable(policy, name, value, start);
    }
    return succeeds;
}

static bool take_policy_file(struct policy *policy, struct text path, struct writer *error)
{
    char terminated[PAGE];
    if (!path.len || path.len >= sizeof terminated)
        return path.len == 0;
    copy_bytes(terminated, path.at, path.len);
    terminated[path.len] = 0;
    struct text lines = read_whole_file(terminated, POLICY_FILE_MAX);
    if (!lines.at) {
        put_words(error, "SHIELD_POLICY_FILE: cannot read ");
        put(error, path);
        return false;
    }
    policy_next_source(policy);
    bool succeeds = policy_set_lines(policy, lines, error);
    drop_whole_file(lines, POLICY_FILE_MAX);
    return succeeds;
}

/* A program that loads the library itself, without a setting, will call configure. One that was started with the library
 * preloaded, but without a policy, is refused. */
static bool take_policy(struct policy *policy, struct start *start)
{
    const struct facts_found *found = &start->found;
    start->has_no_settings =
        !start->from_code && !policy->settings_seen && !found->preloaded && start->origin == ORIGIN_NONE;
    if (start->has_no_settings)
        return false;
    if (!start->from_code)
        return take_policy_file(policy, found->policy_file, start->error) && policy_end(policy, start->error);
    copy_bytes(policy, start->from_code, sizeof *policy);
    return true;
}

bool has_node_ffi(const struct start *start)
{
    if (start->found.has_ffi_option)
        return true;
    struct text arguments = read_whole_file("/proc/self/cmdline", ENVIRON_MAX), rest = arguments, argument;
    bool found = !arguments.at;
    while (rest.len && text_next(&rest, 0, &argument))
        found = found || is_ffi_option(argument);
    drop_whole_file(arguments, ENVIRON_MAX);
    return found;
}

bool read_environment(struct start *start)
{
    start->environment = read_whole_file("/proc/self/environ", ENVIRON_MAX);
    return start->environment.at || (put_words(start->error, "cannot read /proc/self/environ"), false);
}

void drop_environment(struct start *start)
{
    drop_whole_file(start->environment, ENVIRON_MAX);
}

bool read_policy(struct policy *policy, struct start *start)
{
    policy_begin(policy);
    if (!take_environment(policy, start) || !take_policy(policy, start))
        return false;
    struct text region = choose_fact(start, REGION);
    return !region.len || policy_set(policy, text_of(carried_facts[REGION]), region, start->error);
}

void derive_modes(struct policy *policy, bool memory_by_runtime, enum language language)
{
    enum mode strictest = strictest_mode(policy);
    policy->modes[SELF_PROTECTION] = policy_always_refuses(policy) ? MODE_BLOCK : strictest;
    if (memory_by_runtime)
        policy->modes[EXECUTABLE_MEMORY] = language_has_jit(language) ? MODE_ALLOW : strictest;
}

bool tighten_policy(struct policy *policy, struct policy *wanted, char *scratch, struct writer *error)
{
    if (!policy_tighten(policy, wanted, scratch, error))
        return false;
    bool by_runtime =
        sealed->process.memory_by_runtime && wanted->modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME;
    derive_modes(policy, by_runtime, (enum language)sealed->process.language);
    return true;
}
