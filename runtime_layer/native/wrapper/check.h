/* `shield check [--json]`: the meaning of the policy in the environment, or its mistake. */
#ifndef SHIELD_CHECK_H
#define SHIELD_CHECK_H

int run_check(int argc, char **argv, char **envp);

#endif
