/* Reads the policy from the environment, and from the file that SHIELD_POLICY_FILE names. */
#ifndef SHIELD_POLICY_FILE_H
#define SHIELD_POLICY_FILE_H

#include "../core/policy.h"

/* A policy's pool holds 32 KB of entries, so a much longer file is not a policy. */
enum { POLICY_FILE_MAX = 256 * 1024, PATH_BYTES = 4096 };

/* Fills the policy. False: `error` names the setting and the mistake in one line. */
bool policy_load(struct policy *p, char **envp, struct writer *error);

/* SHIELD_ON_FAILURE from the environment, where policy_load failed and p->on_failure cannot be trusted. `p` is working space.
 * Any value except a well-formed run_unshielded is refuse. */
enum on_failure policy_on_failure(struct policy *p, char **envp);

#endif
