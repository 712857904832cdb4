/* Chooses the options of a runtime; see runtime_options.h. Tests: tests/runtimes/node/test_memory.py. */
#include "runtime_options.h"

#include "../core/native_code.h"
#include "../core/object_names.h"
#include "../core/verdict.h"

#include <stdlib.h>
#include <string.h>

int version_of(const char *runtime)
{
    const char *named = getenv("AWS_EXECUTION_ENV");
    return named && !strncmp(named, runtime, strlen(runtime)) ? atoi(named + strlen(runtime)) : 0;
}

static bool is_program_of(const char *program, enum language language)
{
    return language_from(base_name(text_of(program))) == language;
}

/* By the rule for bridges. The engine has not derived a mode for executable_memory yet. */
static enum action judge_interface(const struct policy *policy, struct text entry)
{
    return verdict_bridge(policy, entry, policy->modes[EXECUTABLE_MEMORY] == MODE_BY_RUNTIME).action;
}

bool asks_before_flags(const struct policy *policy, const char *program)
{
    return is_program_of(program, LANGUAGE_NODE) && judge_interface(policy, TEXT(NODE_FLAGS)) != ACTION_ALLOW;
}

const char *closing_option(const struct policy *policy, const char *program)
{
    if (is_program_of(program, LANGUAGE_NODE) && version_of("AWS_Lambda_nodejs") >= 20 &&
        judge_interface(policy, TEXT(NODE_FLAGS)) == ACTION_DENY)
        return "--freeze-flags-after-init"; /* a later change ends the process (V8's flags.cc) */
    if (is_program_of(program, LANGUAGE_JAVA) && version_of("AWS_Lambda_java") >= 24 &&
        !policy->loads_bridges && judge_interface(policy, TEXT(JAVA_UNSAFE)) == ACTION_DENY)
        return "--sun-misc-unsafe-memory-access=deny"; /* https://openjdk.org/jeps/498 */
    return NULL;
}
