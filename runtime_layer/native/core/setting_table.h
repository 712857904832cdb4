/* The table of settings: parses a policy from text, and writes it as text.
 *
 * An unknown setting, a misspelt mode or a malformed entry is an error that names the setting, the entry and the fix; no
 * value silently means "allow".
 */
#ifndef SHIELD_SETTING_TABLE_H
#define SHIELD_SETTING_TABLE_H

#include "policy.h"

/* Starts an empty, strict policy. */
void policy_begin(struct policy *p);
/* Starts another source: the file beside the environment. Lists in both are joined; other settings are given once. */
void policy_next_source(struct policy *p);
/* Takes one setting. Names that do not start with SHIELD_ are ignored, except AWS_REGION. Values given twice,
 * unknown SHIELD_ names and malformed values give false and one line in `error`. SHIELD_STATE is the
 * engine's own (engine/state/sealed_state.h) and is ignored here. */
bool policy_set(struct policy *p, struct text name, struct text value, struct writer *error);
/* Takes `NAME=value` lines (blank lines and lines that start with # are skipped; a carriage return before the newline is
 * ignored). A name that is no setting is an error. An error has the line number. */
bool policy_set_lines(struct policy *p, struct text lines, struct writer *error);
/* The last checks: at least one setting was given, and no entry of SHIELD_DENY_OUTBOUND covers one of SHIELD_ALLOW_OUTBOUND.
 * An on_failure that is not given is refuse until then, and stays so where the policy has an error. */
bool policy_end(struct policy *p, struct writer *error);
/* Sets an on_failure that was not given: run_unshielded when nothing is blocked or refused in every mode, else refuse. */
void policy_choose_on_failure(struct policy *p);
/* Writes that choice behind the reason of a line `unshielded`. */
void policy_explain_on_failure(const struct policy *p, struct writer *reason);

/* The policy in canonical form: one `NAME=value` line for each setting that was given. Parsing the result gives the same
 * policy again. */
void policy_write_lines(const struct policy *p, struct writer *w);

/* The rows of the table, 0 to setting_count() - 1, to describe a policy. */
uint32_t setting_count(void);
struct text setting_name(uint32_t row);
bool setting_given(const struct policy *p, uint32_t row);
/* The value in canonical form, whether it was given or is the default. */
void setting_write(const struct policy *p, uint32_t row, struct writer *w);

/* Whether it is a field of a policy, not a setting of the layer, the engine or the function's place. */
bool setting_is_of_policy(uint32_t row);
/* The field of a mode or switch that may get stricter later, where the lower value is the stricter one; NULL for any other
 * setting. */
uint8_t *setting_mode(struct policy *p, uint32_t row);

#endif
