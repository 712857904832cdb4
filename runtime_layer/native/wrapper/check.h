/* `shield check [--json]`: explains the policy in the environment, or names its mistake. */
#ifndef SHIELD_CHECK_H
#define SHIELD_CHECK_H

int run_check(int argc, char **argv, char **envp);

#endif
