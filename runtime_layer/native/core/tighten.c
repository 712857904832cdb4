/* Makes a policy stricter; see tighten.h. Tests: tests/unit/core/test_tighten.py, tests/lab/proofs/tighten.c. */
#include "tighten.h"

#include "setting_table.h"

static bool has_entries(struct text list, struct text entries)
{
    struct text one;
    while (entries.len && text_next(&entries, ',', &one))
        if (!text_lists(list, one))
            return false;
    return true;
}

/* The same value, or a list of the same entries in any order. */
static bool is_same(const struct policy *p, const struct policy *wanted, uint32_t row, char *scratch)
{
    struct writer now = {scratch, 0, TIGHTEN_SCRATCH / 2, false};
    struct writer then = {scratch + TIGHTEN_SCRATCH / 2, 0, TIGHTEN_SCRATCH / 2, false};
    setting_write(p, row, &now);
    setting_write(wanted, row, &then);
    struct text in_force = {now.at, now.used}, asked = {then.at, then.used};
    return !now.full && !then.full && has_entries(in_force, asked) && has_entries(asked, in_force);
}

static bool tighten_mode(struct policy *p, const struct policy *wanted, uint32_t row, uint8_t *mode,
                         uint8_t to, struct writer *error)
{
    if (to == *mode)
        return true;
    if (to < *mode) {
        *mode = to;
        p->seen |= 1u << row;
        return true;
    }
    put(error, setting_name(row));
    put_words(error, ": \"");
    setting_write(wanted, row, error);
    put_words(error, "\" is looser than ");
    setting_write(p, row, error);
    put_words(error, ", which is in force; a later call may only tighten");
    return false;
}

static bool tighten_setting(struct policy *p, struct policy *wanted, uint32_t row, char *scratch,
                            struct writer *error)
{
    uint8_t *mode = setting_mode(p, row);
    if (mode)
        return tighten_mode(p, wanted, row, mode, *setting_mode(wanted, row), error);
    if (is_same(p, wanted, row, scratch))
        return true;
    put(error, setting_name(row));
    put_words(error,
              ": differs from the policy in force; a later call only makes modes stricter, so leave it out");
    return false;
}

/* Errors of the core name variables, code has fields: SHIELD_ALLOW_TMP becomes allow_tmp. */
static void put_as_field(struct writer *error, struct text said)
{
    struct text prefix = TEXT("SHIELD_"), line = TEXT("line "), rest = said;
    if (text_starts(rest, line) && text_next(&rest, ':', &line) && text_starts(rest, TEXT(" ")))
        said = (struct text){rest.at + 1, rest.len - 1};
    for (uint32_t i = 0; i < said.len; i++) {
        if (!text_starts((struct text){said.at + i, said.len - i}, prefix)) {
            put_char(error, said.at[i]);
            continue;
        }
        for (i += prefix.len; i < said.len; i++) {
            char c = said.at[i];
            if (c != '_' && c == to_lower(c))
                break;
            put_char(error, to_lower(c));
        }
        i--;
    }
}

/* Whether code can give the setting: those of the layer, the engine and the function's place it cannot. */
static bool is_for_code(struct text name)
{
    if (text_equal(name, TEXT("SHIELD_STATE")))
        return false;
    for (uint32_t row = 0; row < setting_count(); row++)
        if (text_equal(setting_name(row), name))
            return setting_is_of_policy(row);
    return true; /* an unknown one: policy_set_lines reports it */
}

static bool are_for_code(struct text lines, struct writer *error)
{
    struct text line, name;
    while (text_next(&lines, '\n', &line)) {
        text_next(&line, '=', &name);
        name = text_trim(name);
        if (is_for_code(name))
            continue;
        put(error, name);
        put_words(error, ": is not a field of a policy; take it out");
        return false;
    }
    return true;
}

static bool is_plain(struct text lines)
{
    for (uint32_t i = 0; i < lines.len; i++) {
        uint8_t c = (uint8_t)lines.at[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool policy_from_code(struct policy *p, struct text lines, struct writer *error)
{
    char said[512];
    struct writer w = {said, 0, sizeof said, false};
    policy_begin(p);
    if (!is_plain(lines)) {
        put_words(error, "the policy has a control character; take it out");
        return false;
    }
    if (are_for_code(lines, &w) && policy_set_lines(p, lines, &w) && policy_end(p, &w))
        return true;
    put_as_field(error, (struct text){said, w.used});
    return false;
}

bool policy_tighten(struct policy *p, struct policy *wanted, char *scratch, struct writer *error)
{
    char said[512];
    struct writer w = {said, 0, sizeof said, false};
    for (uint32_t row = 0; row < setting_count(); row++) {
        policy_choose_on_failure(p); /* it depends on the modes */
        if (setting_given(wanted, row) && !tighten_setting(p, wanted, row, scratch, &w)) {
            put_as_field(error, (struct text){said, w.used});
            return false;
        }
    }
    return true;
}
