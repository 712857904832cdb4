/* Describes a policy in words. */
#ifndef SHIELD_EXPLAIN_H
#define SHIELD_EXPLAIN_H

#include "policy.h"

/* One JSON object, in the form of api.h. */
void policy_explain(const struct policy *p, struct writer *w);

/* The meaning of one setting (a row of setting_table.h) with its value, as one sentence. */
struct text setting_meaning(const struct policy *p, uint32_t row);

#endif
