/* Prints the usage text, the version, and errors of usage. Tests: tests/integration/launcher/test_usage.py. */
#include "usage.h"

#include <stdio.h>

static const char usage[] =
    "usage: shield PROGRAM [ARGUMENT]...       run PROGRAM under the policy of the SHIELD_* variables\n"
    "       shield check                       print the value of each setting, or the mistake in one\n"
    "       shield doctor [--json] [--program PATH]\n"
    "                                          list the abilities of this machine or sandbox\n"
    "       shield --version | --help\n"
    "\n"
    "As AWS_LAMBDA_EXEC_WRAPPER it starts the function's runtime. SHIELD_NEXT_WRAPPER, an absolute path,\n"
    "names the exec wrapper to run after it. Exit status 78: the policy cannot be enforced, and nothing was\n"
    "started.\n";

int usage_help(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    fputs(usage, stdout);
    return finish_output();
}

int usage_version(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    puts("shield " SHIELD_VERSION);
    return finish_output();
}

int usage_error(const char *argument)
{
    if (argument)
        fprintf(stderr, "shield: unknown argument: %s\n", argument);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int finish_output(void)
{
    return fflush(stdout) != 0 || ferror(stdout);
}
