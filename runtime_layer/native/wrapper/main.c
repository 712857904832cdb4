/* shield: the exec wrapper. Starts an AWS Lambda runtime under libshield.so, or refuses to start it.
 *
 * Theory of operation
 *
 * Lambda's bootstrap does `exec "$AWS_LAMBDA_EXEC_WRAPPER" <interpreter> <arguments>`. The function's code does not run
 * yet, and variables set now reach the runtime only: a function-wide LD_PRELOAD would also load into the extensions and
 * into the bootstrap's own shell.
 *
 *  1. The policy (policy_file.c). The SHIELD_* settings of the environment, and the lines of
 *     SHIELD_POLICY_FILE, go through the same core that checked them at synth. No policy, or one with a
 *     mistake, is a failure.
 *  2. The programs (plan.c) and the library (elf_check.c). The loader only warns about a preload that it
 *     cannot use, and ignores it in static and in set-uid programs. Each way to run unshielded in silence is checked
 *     here, before exec.
 *  3. The environment (launch.c). LD_PRELOAD names the library first; SHIELD_STATE tells its constructor that the exec
 *     chain of the wrappers is still running, and the program that ends it.
 *  4. exec (launch.c) of the next wrapper, or of the runtime.
 *
 * A failure is one JSON line (refusal_report.c) and exit status 78; with SHIELD_ON_FAILURE=run_unshielded it is one JSON
 * line and an unshielded start.
 *
 * The program is static and makes few system calls, as each cold start waits for it.
 *
 * A next wrapper may empty the environment: it is shielded itself, and its gate gives the library and the policy back to
 * the program that it starts.
 * Tests: tests/integration/launcher/test_usage.py. */
#include "check.h"
#include "doctor.h"
#include "launch.h"
#include "usage.h"

#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv, char **envp);
};

/* Lambda gives a runtime by its path, so no interpreter has one of these names. */
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
