/* Where the policy comes from: the environment, and the file that SHIELD_POLICY_FILE names. */
#ifndef SHIELD_POLICY_FILE_H
#define SHIELD_POLICY_FILE_H

#include "../core/policy.h"

/* A policy's own pool holds 32 KB of entries: a file that is much longer is not a policy. */
enum { POLICY_FILE_MAX = 256 * 1024, PATH_BYTES = 4096 };

/* Fills the policy. False: `error` says in one line what is wrong with which setting. */
bool policy_load(struct policy *p, char **envp, struct writer *error);

/* What the environment says should happen when policy_load failed, so that p->on_failure is not to be
 * trusted. `p` is used as working space. Anything but a well-formed run_unshielded is refuse. */
enum on_failure policy_on_failure(struct policy *p, char **envp);

#endif
