/* Checks, environment, exec: the stages that main.c tells of. */
#define _GNU_SOURCE
#include "launch.h"

#include "../engine/trials/needed_calls.h"
#include "elf_check.h"
#include "plan.h"
#include "policy_file.h"
#include "refusal_report.h"
#include "own_path.h"
#include "usage.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD="
#define STATE "SHIELD_STATE="
#define NEXT "SHIELD_NEXT_WRAPPER="
/* engine/state/sealed_state.h: the stage, the descriptor of the log (none yet), the program that ends the exec chain. */
#define STATE_STARTING STATE "starting:-1:"

static bool is_variable(const char *entry, const char *name)
{
    return !strncmp(entry, name, strlen(name));
}

/* A loop through a wrapper that starts the exec wrapper again shows here: the state is ours alone. */
static bool check_not_nested(char **envp, struct writer *error)
{
    char **e = envp;
    while (*e && !is_variable(*e, STATE))
        e++;
    if (!*e)
        return true;
    put_string(error,
               "SHIELD_STATE is set: shield is at work here already; a wrapper that runs after it must not "
               "start it again");
    return false;
}

/* The environment with our two variables; whatever else is in it passes through untouched. A preload given
 * twice counts once, as the loader would have it: the last one. One mapping holds all that is new: it lives
 * until exec, and an allocator would cost more calls than it saves. */
static char **shielded_environment(char **envp, const char *library, const char *runtime)
{
    size_t count = 0;
    const char *before = "";
    while (envp[count])
        count++;
    for (char **e = envp; *e; e++)
        if (is_variable(*e, PRELOAD))
            before = *e + strlen(PRELOAD);

    size_t preload_size = sizeof PRELOAD + strlen(library) + 1 + strlen(before);
    size_t state_size = sizeof STATE_STARTING + strlen(runtime), table_size = (count + 3) * sizeof *envp;
    char **changed = mmap(NULL, table_size + preload_size + state_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (changed == MAP_FAILED)
        return NULL;
    char *preload = (char *)changed + table_size, *state = preload + preload_size;
    strcat(strcat(strcat(strcpy(preload, PRELOAD), library), *before ? ":" : ""), before);
    strcat(strcpy(state, STATE_STARTING), runtime);

    size_t used = 0;
    for (char **e = envp; *e; e++)
        if (!is_variable(*e, PRELOAD))
            changed[used++] = *e;
    changed[used++] = preload;
    changed[used] = state;
    return changed;
}

/* Lambda's convention: a wrapper is given the interpreter and its arguments after its own name. Returns only
 * when exec failed. */
static bool start_program(const struct plan *plan, char **argv, char **envp, struct writer *error)
{
    bool wrapped = plan->next[0];
    const char *path = wrapped ? plan->next : plan->runtime;
    char *own_name = argv[0];
    argv[0] = (char *)path;
    execve(path, wrapped ? argv : argv + 1, envp);
    int failed = errno;
    argv[0] = own_name;
    put_string(error, wrapped ? "SHIELD_NEXT_WRAPPER: cannot start " : "cannot start ");
    put_quoted(error, path);
    put_error(error, failed);
    return false;
}

static bool launch_shielded(struct policy *policy, char **argv, char **envp, struct writer *error)
{
    static struct plan plan;
    static struct call_results calls;
    char library[PATH_BYTES];
    if (!try_calls(&calls)) {
        put_string(error, "out of memory");
        return false;
    }
    if (!has_needed_calls(&calls, policy, error) || !check_not_nested(envp, error) ||
        !plan_shielded(&plan, policy, argv[1], error) || !library_path(library, sizeof library, error))
        return false;
    if (!library_inspect(library, error)) {
        put_string(error, "; install the layer again: libshield.so belongs beside shield");
        return false;
    }
    char **changed = shielded_environment(envp, library, plan.runtime);
    if (!changed) {
        put_string(error, "out of memory");
        return false;
    }
    return start_program(&plan, argv, changed, error);
}

/* As if there were no shield. A next wrapper that cannot be started is left out: the function has to run. */
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
        start_program(&plan, argv, envp, reason_begin(&ignored));
    plan.next[0] = 0;
    return start_program(&plan, argv, envp, error);
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
        write_report("unshielded", reason_text(&reason));
        launch_unshielded(argv, envp, reason_begin(&reason));
    }
    write_report("refused", reason_text(&reason));
    return EXIT_REFUSED;
}
