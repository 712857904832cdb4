/* `shield check [--json]`: what the policy in the environment means, or what is wrong with it. */
#ifndef SHIELD_CHECK_H
#define SHIELD_CHECK_H

int run_check(int argc, char **argv, char **envp);

#endif
