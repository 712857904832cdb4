/* Options of a runtime that close its own interfaces to all of its memory, and its version, by which it has them
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, AWS_EXECUTION_ENV). */
#ifndef SHIELD_RUNTIME_OPTIONS_H
#define SHIELD_RUNTIME_OPTIONS_H

#include "../core/policy.h"

/* The version in AWS_EXECUTION_ENV: of "AWS_Lambda_nodejs", 22 in AWS_Lambda_nodejs22.x. 0: another runtime, or unknown. */
int version_of(const char *runtime);
/* Whether the program is Node.js, and must ask before V8's flags change. */
bool asks_before_flags(const struct policy *policy, const char *program);
/* The option for the program; NULL: none. An older version would not start with it, and an unknown one gets none. */
const char *closing_option(const struct policy *policy, const char *program);

#endif
