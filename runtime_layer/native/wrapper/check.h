/* `shield check`: a line NAME=value for each setting of the policy in the environment and its file, with "# " before one
 * that was not given (its default); or the mistake in it. The output is a policy file. */
#ifndef SHIELD_CHECK_H
#define SHIELD_CHECK_H

int run_check(int argc, char **argv, char **envp);

#endif
