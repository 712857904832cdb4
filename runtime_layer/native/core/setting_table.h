/* The table of settings, row by row, for those who describe a policy. Rows are 0 to setting_count() - 1. */
#ifndef SHIELD_SETTINGS_TABLE_H
#define SHIELD_SETTINGS_TABLE_H

#include "policy.h"

uint32_t setting_count(void);
struct text setting_name(uint32_t row);
bool setting_given(const struct policy *p, uint32_t row);
/* The value in canonical form, whether it was given or is the default. */
void setting_write(const struct policy *p, uint32_t row, struct writer *w);

/* Is it a field of a policy, or a setting of the layer, the engine or the function's place? */
bool setting_is_of_policy(uint32_t row);
/* The mode of a setting that may get stricter later; NULL for any other. */
uint8_t *setting_mode(struct policy *p, uint32_t row);

#endif
