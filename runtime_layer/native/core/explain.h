/* What a policy means, in words. */
#ifndef SHIELD_EXPLAIN_H
#define SHIELD_EXPLAIN_H

#include "policy.h"

/* One JSON object; its form is told in api.h. */
void policy_explain(const struct policy *p, struct writer *w);

/* What one setting (a row of setting_table.h) means with its value, as one sentence. */
struct text setting_meaning(const struct policy *p, uint32_t row);

#endif
