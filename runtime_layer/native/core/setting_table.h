/* The table of settings: text becomes a policy, and a policy text.
 *
 * An unknown setting, a misspelt mode or a malformed entry is an error that names the setting, the entry and the fix; there is
 * no value that silently means "allow".
 */
#ifndef SHIELD_SETTING_TABLE_H
#define SHIELD_SETTING_TABLE_H

#include "policy.h"

/* Starts an empty, strict policy. */
void policy_begin(struct policy *p);
/* Starts another source: the file beside the environment. Lists in both are joined; other settings are given
 * once. */
void policy_next_source(struct policy *p);
/* Takes one setting. Names that do not start with SHIELD_ are ignored, except AWS_REGION. Values given twice,
 * unknown SHIELD_ names and malformed values give false and one line in `error`. SHIELD_STATE is the
 * engine's own (engine/state/sealed_state.h) and is ignored here. */
bool policy_set(struct policy *p, struct text name, struct text value, struct writer *error);
/* Takes `NAME=value` lines (blank lines and lines that start with # are skipped; a carriage return before
 * the newline is ignored). The lines are ours alone, so a name that is no setting is an error. An error names
 * the line number. */
bool policy_set_lines(struct policy *p, struct text lines, struct writer *error);
/* The last checks: at least one setting was given, and no entry of SHIELD_ALLOW_OUTBOUND is refused whole by one of
 * SHIELD_DENY_OUTBOUND. Until then on_failure is refuse where it is not given, and where the policy
 * has an error it stays so. */
bool policy_end(struct policy *p, struct writer *error);
/* Where on_failure is not given, it is run_unshielded when nothing is blocked or refused in every mode, otherwise refuse. */
void policy_choose_on_failure(struct policy *p);
/* Says so behind the reason of a line `unshielded`. */
void policy_explain_on_failure(const struct policy *p, struct writer *reason);

/* The policy in canonical form: one `NAME=value` line a setting, only those that were given. Parsing the
 * result gives the same policy again. */
void policy_write_lines(const struct policy *p, struct writer *w);

/* Row by row, to describe a policy. Rows are 0 to setting_count() - 1. */
uint32_t setting_count(void);
struct text setting_name(uint32_t row);
bool setting_given(const struct policy *p, uint32_t row);
/* The value in canonical form, whether it was given or is the default. */
void setting_write(const struct policy *p, uint32_t row, struct writer *w);

/* Is it a field of a policy, or a setting of the layer, the engine or the function's place? */
bool setting_is_of_policy(uint32_t row);
/* The mode of a setting that may get stricter later, or its switch, where the lower value is the stricter one too; NULL for
 * any other. */
uint8_t *setting_mode(struct policy *p, uint32_t row);

#endif
