/* Runs the stages of main.c: checks, environment, exec. Tests: tests/integration/launcher/test_launch.py. */
#define _GNU_SOURCE
#include "launch.h"

#include "../core/setting_table.h"
#include "call_trials.h"
#include "elf_check.h"
#include "plan.h"
#include "policy_file.h"
#include "refusal_report.h"
#include "own_path.h"
#include "runtime_options.h"
#include "usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REQUIRE "--require " /* module.html of Node.js: a preload, in workers as well */
#define CALLERS "node_callers.cjs"
#define STATE "SHIELD_STATE="
#define NEXT "SHIELD_NEXT_WRAPPER="
/* The stage, the descriptor of the log (none yet), the program that ends the exec chain (engine/state/sealed_state.h). */
#define STATE_STARTING STATE "starting:-1:"

static bool is_variable(const char *entry, const char *name)
{
    return !strncmp(entry, name, strlen(name));
}

/* Detects a wrapper that starts the exec wrapper again: only the shield sets the state. */
static bool check_not_nested(char **envp, struct writer *error)
{
    char **e = envp;
    while (*e && !is_variable(*e, STATE))
        e++;
    return !*e || refuse(error, "SHIELD_STATE is set: shield is at work here already; a wrapper that runs "
                                "after it must not start it again");
}

/* A list in the environment, with the shield's entry in front of it. */
struct prepended_list {
    const char *name, *ours, *separator, *theirs;
};

/* Writes "NAME=ours[<separator>theirs]" and a NUL; returns the end. */
static char *write_list(char *at, const struct prepended_list *l)
{
    strcat(strcat(strcat(strcpy(at, l->name), l->ours), *l->theirs ? l->separator : ""), l->theirs);
    return at + strlen(at) + 1;
}

/* The environment with the state and the `lists`; other variables pass unchanged. Of two values the last one counts,
 * as for the loader. One mapping, which lives until exec, holds all new texts: an allocator would need more calls. */
static char **shielded_environment(char **envp, struct prepended_list *lists, size_t list_count,
                                   const char *runtime)
{
    size_t count = 0, size = sizeof STATE_STARTING + strlen(runtime), used = 0;
    for (; envp[count]; count++)
        for (size_t i = 0; i < list_count; i++)
            if (is_variable(envp[count], lists[i].name))
                lists[i].theirs = envp[count] + strlen(lists[i].name);
    for (size_t i = 0; i < list_count; i++)
        size += strlen(lists[i].name) + strlen(lists[i].ours) + strlen(lists[i].theirs) + 2;
    size_t table_size = (count + list_count + 2) * sizeof *envp;
    char **changed =
        mmap(NULL, table_size + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (changed == MAP_FAILED)
        return NULL;
    for (char **e = envp; *e; e++) {
        size_t i = 0;
        while (i < list_count && !is_variable(*e, lists[i].name))
            i++;
        if (i == list_count)
            changed[used++] = *e;
    }
    char *at = (char *)changed + table_size;
    for (size_t i = 0; i < list_count; i++) {
        changed[used++] = at;
        at = write_list(at, &lists[i]);
    }
    changed[used] = strcat(strcpy(at, STATE_STARTING), runtime);
    return changed;
}

/* Lambda's convention: a wrapper is given the interpreter and its arguments after its own name. `option`: goes in front of the
 * interpreter's arguments; NULL: none. Returns only when exec failed. */
static bool start_program(const struct plan *plan, const char *option, char **argv, char **envp,
                          struct writer *error)
{
    bool wrapped = plan->next[0];
    const char *path = wrapped ? plan->next : plan->runtime;
    size_t count = 0, used = 0;
    while (argv[count])
        count++;
    char *given[count + 2];
    if (wrapped)
        given[used++] = (char *)path;
    given[used++] = argv[1];
    if (option)
        given[used++] = (char *)option;
    memcpy(given + used, argv + 2, (count - 1) * sizeof *argv);
    execve(path, given, envp);
    int failed = errno;
    put_words(error, wrapped ? "SHIELD_NEXT_WRAPPER: cannot start " : "cannot start ");
    return refuse_path_by(error, path, "", failed);
}

/* Whether alerts name JavaScript callers. By default, in versions of Node.js that it delays by at most 1.5 ms, where the
 * engine judges writes. */
static bool names_callers(const struct policy *policy)
{
    int version = version_of("AWS_Lambda_nodejs");
    if (policy->node_callers != CALLERS_BY_RUNTIME)
        return policy->node_callers == CALLERS_ON;
    return policy_judges_outbound(policy) && (version == 22 || version == 24);
}

/* "--require <beside the library>/node_callers.cjs": without the file no program of Node.js would start. */
static bool callers_option(char *option, const char *library, struct writer *error)
{
    strcat(strcpy(option, REQUIRE), library);
    strcpy(option + strlen(option) - strlen(LIBRARY), CALLERS);
    if (access(option + strlen(REQUIRE), R_OK) == 0)
        return true;
    put_words(error, "cannot read ");
    refuse_path_by(error, option + strlen(REQUIRE), "", errno);
    return refuse(error, "; install the layer again");
}

static bool launch_shielded(struct policy *policy, char **argv, char **envp, struct writer *error)
{
    static struct plan plan;
    char library[PATH_BYTES], callers[sizeof REQUIRE + PATH_BYTES + sizeof CALLERS];
    if (!try_calls(policy, error) || !check_not_nested(envp, error) ||
        !plan_shielded(&plan, policy, argv[1], error) || !library_path(library, sizeof library, error))
        return false;
    if (!library_inspect(library, error))
        return refuse(error, "; install the layer again: libshield.so belongs beside shield");
    bool names = names_callers(policy);
    bool asks = asks_before_flags(policy, plan.runtime);
    if ((names || asks) && !callers_option(callers, library, error))
        return false;
    size_t list_count = !names && !asks ? 1 : !names || policy->node_callers == CALLERS_ON ? 2 : 3;
    struct prepended_list lists[] = {{"LD_PRELOAD=", library, ":", ""},
                                     {"NODE_OPTIONS=", callers, " ", ""},
                                     {"SHIELD_NODE_CALLERS=", "on", "", ""}};
    char **changed = shielded_environment(envp, lists, list_count, plan.runtime);
    if (!changed)
        return refuse(error, "out of memory");
    return start_program(&plan, closing_option(policy, plan.runtime), argv, changed, error);
}

/* Starts the program without the shield. A next wrapper that cannot be started is left out, as the function must run. */
static bool launch_unshielded(char **argv, char **envp, struct writer *error)
{
    static struct plan plan;
    struct reason ignored;
    const char *next = "";
    for (char **e = envp; *e; e++)
        if (is_variable(*e, NEXT))
            next = *e + strlen(NEXT);
    if (!plan_unshielded(&plan, next, argv[1], error))
        return false;
    if (plan.next[0])
        start_program(&plan, NULL, argv, envp, reason_begin(&ignored));
    plan.next[0] = 0;
    return start_program(&plan, NULL, argv, envp, error);
}

int launch(char **argv, char **envp)
{
    static struct policy policy;
    static struct reason reason;
    struct writer *error = reason_begin(&reason);
    bool loaded = policy_load(&policy, envp, error);
    if (loaded)
        launch_shielded(&policy, argv, envp, error);

    enum on_failure then = loaded ? (enum on_failure)policy.on_failure : policy_on_failure(&policy, envp);
    if (then == ON_FAILURE_RUN_UNSHIELDED) {
        policy_explain_on_failure(&policy, error);
        write_report("unshielded", reason_text(&reason));
        launch_unshielded(argv, envp, reason_begin(&reason));
    }
    write_report("refused", reason_text(&reason));
    return EXIT_REFUSED;
}
