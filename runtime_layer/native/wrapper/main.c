/* shield: the exec wrapper. Starts an AWS Lambda runtime under libshield.so, or does not start it at all.
 *
 * Theory of operation
 *
 * Lambda's bootstrap does `exec "$AWS_LAMBDA_EXEC_WRAPPER" <interpreter> <arguments>`. That moment is the
 * last one before the function's code exists, and the first one at which a variable can be set for the
 * runtime only: a function-wide LD_PRELOAD would also load into the extensions and into the bootstrap's own
 * shell.
 *
 *  1. The policy (policy_file.c). The SHIELD_* settings of the environment, and the lines of
 *     SHIELD_POLICY_FILE, go through the same core that checked them at synth. No policy, or one with a
 *     mistake, is a failure.
 *  2. The programs (plan.c) and the library (elf_check.c). The loader only warns about a preload that it
 *     cannot use, and ignores it altogether in static and in set-uid programs. Each way to end up unshielded
 *     without a word is looked for here, before it can happen.
 *  3. The environment (launch.c). LD_PRELOAD names our library first; SHIELD_STATE tells its constructor that
 *     the exec chain of the wrappers is still running, and which program ends it.
 *  4. exec (launch.c) of the next wrapper, or of the runtime.
 *
 * A failure is one JSON line (refusal_report.c) and exit status 78; with SHIELD_ON_FAILURE=run_unshielded it is one
 * JSON line and an unshielded start. There is no third way.
 *
 * The program is static and calls nothing twice: its time is a part of every cold start.
 *
 * A next wrapper that empties the environment changes nothing: it is shielded itself, and its gate gives the
 * library and the policy back to the program that it starts.
 */
#include "check.h"
#include "doctor.h"
#include "launch.h"
#include "usage.h"

#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv, char **envp);
};

/* A runtime is always given by its path, so no interpreter is mistaken for one of these. */
static const struct command commands[] = {
    {"--help", usage_help}, {"-h", usage_help},     {"--version", usage_version},
    {"check", run_check},   {"doctor", run_doctor},
};

int main(int argc, char **argv, char **envp)
{
    if (argc < 2)
        return usage_error(NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc, argv, envp);
    if (argv[1][0] == '-')
        return usage_error(argv[1]);
    return launch(argv, envp);
}
