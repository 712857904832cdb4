/* The SHIELD_* settings: each row has a name, its reader and its writer.
 * Tests: tests/unit/core/test_settings.py, tests/lab/fuzz/policy.c. */
#include "setting_table.h"

#include "setting_entries.h"
#include "setting_lists.h"
#include "setting_reader.h"
#include "suggest.h"
#include "verdict.h"

/* The field of the policy that holds the setting's value. */
static uint8_t *field_of(const struct policy *p, const struct setting *s)
{
    return (uint8_t *)p + s->field;
}

static bool read_mode(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return mode_from(value, field_of(p, s)) ||
           setting_refuse(error, s, value, TEXT("is not a mode; use block, alert or allow"));
}

static void write_mode(const struct policy *p, const struct setting *s, struct writer *w)
{
    put(w, mode_name(*field_of(p, s)));
}

enum { SWITCH_WORDS, FAILURE_WORDS, CALLERS_WORDS };
static const struct choice CHOICES[][3] = {
    [SWITCH_WORDS] = {{"on", false}, {"off", true}}, /* the policy's field is the opposite of the switch */
    [FAILURE_WORDS] = {{"refuse", ON_FAILURE_REFUSE}, {"run_unshielded", ON_FAILURE_RUN_UNSHIELDED}},
    [CALLERS_WORDS] = {{"on", CALLERS_ON}, {"off", CALLERS_OFF}},
};

static bool read_choice(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    for (const struct choice *c = CHOICES[s->values]; c->word[0]; c++) {
        if (text_equal(value, text_of(c->word))) {
            *field_of(p, s) = c->value;
            return true;
        }
    }
    setting_refuse(error, s, value, TEXT("is not a value; use "));
    for (const struct choice *c = CHOICES[s->values]; c->word[0]; c++) {
        put_words(error, c == CHOICES[s->values] ? "" : " or ");
        put_words(error, c->word);
    }
    return false;
}

/* A value that is no choice stands for a setting that was not given. */
static void write_choice(const struct policy *p, const struct setting *s, struct writer *w)
{
    for (const struct choice *c = CHOICES[s->values]; c->word[0]; c++)
        put(w, c->value == *field_of(p, s) ? text_of(c->word) : TEXT(""));
}

static void write_text(const struct policy *p, const struct setting *s, struct writer *w)
{
    put(w, policy_text(p, *(struct pooled *)field_of(p, s)));
}

static bool keep_text(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return setting_keep(p, s, value, (struct pooled *)field_of(p, s), error);
}

static bool read_path(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    uint32_t mark = error->used;
    setting_culprit(error, s, value);
    if (!entry_path(value, error))
        return false;
    setting_take_back(error, mark);
    return keep_text(p, s, value, error);
}

static bool read_region(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    bool is_region = value.len <= 32;
    for (uint32_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        is_region = is_region && ((is_letter(c) && c == to_lower(c)) || is_digit(c) || c == '-');
    }
    return is_region ? keep_text(p, s, value, error)
                     : setting_refuse(error, s, value, TEXT("is not a region; use a name such as us-east-1"));
}

static bool read_account(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    bool is_account = value.len == 12;
    for (uint32_t i = 0; i < value.len; i++)
        is_account = is_account && is_digit(value.at[i]);
    return is_account ? keep_text(p, s, value, error)
                      : setting_refuse(error, s, value, TEXT("is not an account; write its twelve digits"));
}

/* The kinds of values, each with its reader and its writer. A pointer in each row would cost 32 bytes and a relocation. */
enum kind {
    MODE_VALUE,
    CHOICE_VALUE,
    LIST_VALUE,
    AWS_VALUE,
    BUCKETS_VALUE,
    PATH_VALUE,
    ACCOUNT_VALUE,
    REGION_VALUE
};
static const struct {
    bool (*read)(struct policy *p, const struct setting *s, struct text value, struct writer *error);
    void (*write)(const struct policy *p, const struct setting *s, struct writer *w);
} KINDS[] = {
    [MODE_VALUE] = {read_mode, write_mode},       [CHOICE_VALUE] = {read_choice, write_choice},
    [LIST_VALUE] = {read_list, write_list},       [AWS_VALUE] = {read_aws, write_aws},
    [BUCKETS_VALUE] = {read_buckets, write_text}, [PATH_VALUE] = {read_path, write_text},
    [ACCOUNT_VALUE] = {read_account, write_text}, [REGION_VALUE] = {read_region, write_text},
};

#define FIELD(name) offsetof(struct policy, name)
#define ROW(name, ...) {name, __VA_ARGS__}
#define MODE(name, id) ROW(name, MODE_VALUE, TIGHTENS, FIELD(modes[id]), GIVEN_ONCE, 0)
#define CHOICE(name, later, field, choices) ROW(name, CHOICE_VALUE, later, FIELD(field), GIVEN_ONCE, choices)
#define LIST(name, list) ROW(name, LIST_VALUE, STAYS, 0, LISTS_JOIN, list)
#define WORD(name, kind, field) ROW(name, kind, NOT_OF_POLICY, FIELD(field), GIVEN_ONCE, 0)

/* The bit of a setting in policy.seen is its row. */
static const struct setting SETTINGS[] = {
    MODE("SHIELD_OUTBOUND_CONNECTIVITY", OUTBOUND_CONNECTIVITY),
    LIST("SHIELD_ALLOW_OUTBOUND", OUTBOUND_LIST),
    LIST("SHIELD_DENY_OUTBOUND", DENIED_LIST),
    ROW("SHIELD_ALLOW_AWS", AWS_VALUE, STAYS, 0, SERVICES_JOIN, AWS_LIST),
    ROW("SHIELD_ALLOW_BUCKETS", BUCKETS_VALUE, STAYS, FIELD(buckets), LISTS_JOIN, BUCKET_LIST),
    CHOICE("SHIELD_CHECK_TLS_NAME", STAYS, skip_server_name, SWITCH_WORDS),
    MODE("SHIELD_READ_WRITE_TMP", READ_WRITE_TMP),
    LIST("SHIELD_ALLOW_TMP", TMP_LIST),
    CHOICE("SHIELD_CLEAR_TMP", TIGHTENS, keeps_tmp, SWITCH_WORDS),
    MODE("SHIELD_CREATE_CHILD_PROCESS", CREATE_CHILD_PROCESS),
    LIST("SHIELD_ALLOW_CHILD_PROCESS", CHILD_LIST),
    MODE("SHIELD_READ_HANDLER", READ_HANDLER),
    MODE("SHIELD_EXECUTABLE_MEMORY", EXECUTABLE_MEMORY),
    LIST("SHIELD_ALLOW_EXECUTABLE_MEMORY", MEMORY_LIST),
    CHOICE("SHIELD_BLOCK_FOREIGN_FUNCTIONS", TIGHTENS, loads_bridges, SWITCH_WORDS),
    CHOICE("SHIELD_KERNEL_LIMITS", TIGHTENS, skips_limits, SWITCH_WORDS),
    CHOICE("SHIELD_ON_FAILURE", STAYS, on_failure, FAILURE_WORDS),
    CHOICE("SHIELD_LOG_ARGUMENTS", STAYS, hide_arguments, SWITCH_WORDS),
    CHOICE("SHIELD_NODE_CALLERS", NOT_OF_POLICY, node_callers, CALLERS_WORDS),
    WORD("SHIELD_NEXT_WRAPPER", PATH_VALUE, next_wrapper),
    WORD("SHIELD_POLICY_FILE", PATH_VALUE, policy_file),
    WORD("SHIELD_ACCOUNT_ID", ACCOUNT_VALUE, account),
    WORD("AWS_REGION", REGION_VALUE, region),
};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof SETTINGS[0] };
_Static_assert(SETTING_COUNT <= 32, "policy.seen has one bit for each");

static bool is_ours(struct text name)
{
    return text_starts(name, TEXT("SHIELD_"));
}

static const struct setting *find_setting(struct text name)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        if (text_equal(text_of(SETTINGS[i].name), name))
            return &SETTINGS[i];
    return NULL;
}

static bool refuse_unknown(struct text name, struct writer *error)
{
    struct suggestion near = suggest_for(name);
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        suggest_offer(&near, text_of(SETTINGS[i].name));
    if (!put_json(error, name, SHOWN_MAX))
        put_words(error, "...");
    put_words(error, ": there is no such setting; ");
    if (near.best.len) {
        put_words(error, "did you mean ");
        put(error, near.best);
        put_char(error, '?');
    } else {
        put_words(error, "take it out, or see the policy table for the names");
    }
    return false;
}

void policy_begin(struct policy *p)
{
    /* The lists are written before their counts grow; clearing them would touch 48 KB of pages. */
    fill_bytes(p, 0, offsetof(struct policy, outbound));
    p->modes[READ_HANDLER] = MODE_ALLOW; /* tracebacks read the handler */
    p->modes[EXECUTABLE_MEMORY] = MODE_BY_RUNTIME;
    p->aws = AWS_ALL;
    p->keeps_tmp = true;
    p->loads_bridges = true;
    p->hide_arguments = true;
}

void policy_next_source(struct policy *p)
{
    p->seen_here = 0;
}

/* Whether the value of another source is added to the present one. */
static bool joins(const struct policy *p, const struct setting *s, struct text value)
{
    return s->joins == LISTS_JOIN || (s->joins == SERVICES_JOIN && p->aws == AWS_LISTED &&
                                      !text_equal(value, TEXT("all")) && !text_equal(value, TEXT("none")));
}

bool policy_set(struct policy *p, struct text name, struct text value, struct writer *error)
{
    const struct setting *s = find_setting(name);
    uint32_t bit;
    if (!s)
        return !is_ours(name) || text_equal(name, TEXT("SHIELD_STATE")) || refuse_unknown(name, error);
    bit = 1u << (s - SETTINGS);
    value = text_trim(value);
    /* Lists of the environment and of the file are one list; other settings are given once. */
    if ((p->seen_here & bit) || ((p->seen & bit) && !joins(p, s, value)))
        return setting_refuse_list(error, s, TEXT("given twice; leave one of them out"));
    if (is_ours(name) && !(p->seen & bit))
        p->settings_seen++;
    p->seen_here |= bit;
    p->seen |= bit;
    return KINDS[s->kind].read(p, s, value, error);
}

static bool set_line(struct policy *p, struct text line, struct writer *error)
{
    struct text name, value = line;
    text_next(&value, '=', &name);
    name = text_trim(name);
    if (!value.at) {
        put_char(error, '"');
        put_json(error, line, SHOWN_MAX);
        put_words(error, "\" is not a setting; write NAME=value");
        return false;
    }
    /* Unlike an environment, these lines hold settings only: another name is a misspelt one. */
    if (!is_ours(name) && !find_setting(name))
        return refuse_unknown(name, error);
    return policy_set(p, name, value, error);
}

bool policy_set_lines(struct policy *p, struct text lines, struct writer *error)
{
    struct text line;
    uint32_t number = 0;
    while (text_next(&lines, '\n', &line)) {
        uint32_t mark = error->used;
        number++;
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        line = text_trim(line);
        if (!line.len || line.at[0] == '#')
            continue;
        put_words(error, "line ");
        put_number(error, number);
        put_words(error, ": ");
        if (!set_line(p, line, error))
            return false;
        setting_take_back(error, mark);
    }
    return true;
}

static bool lacks_on_failure(const struct policy *p)
{
    return !(p->seen & 1u << (find_setting(TEXT("SHIELD_ON_FAILURE")) - SETTINGS));
}

void policy_choose_on_failure(struct policy *p)
{
    if (lacks_on_failure(p))
        p->on_failure = strictest_mode(p) == MODE_BLOCK || policy_always_refuses(p)
                            ? ON_FAILURE_REFUSE
                            : ON_FAILURE_RUN_UNSHIELDED;
}

void policy_explain_on_failure(const struct policy *p, struct writer *reason)
{
    if (lacks_on_failure(p))
        put_words(reason,
                  "; it runs without the shield, as nothing is blocked and SHIELD_ON_FAILURE is not set");
}

static bool refuse_covered(const struct policy *p, struct writer *error)
{
    uint16_t by;
    for (uint32_t i = 0; i < p->outbound_count; i++) {
        if (!verdict_covers_rule(p, &p->outbound[i], &by))
            continue;
        put_words(error, "SHIELD_ALLOW_OUTBOUND: \"");
        put(error, policy_text(p, p->outbound[i].entry));
        put_words(error, "\" is refused in every mode by \"");
        put(error, policy_text(p, p->denied[by].entry));
        put_words(error, "\" of SHIELD_DENY_OUTBOUND; take one of the two out");
        return true;
    }
    return false;
}

bool policy_end(struct policy *p, struct writer *error)
{
    policy_choose_on_failure(p);
    if (refuse_covered(p, error))
        return false;
    if (p->settings_seen)
        return true;
    put_words(error,
              "there is no policy: not one SHIELD_ setting was given; set SHIELD_OUTBOUND_CONNECTIVITY, "
              "or take the shield off the function");
    return false;
}

uint32_t setting_count(void)
{
    return SETTING_COUNT;
}

struct text setting_name(uint32_t row)
{
    return text_of(SETTINGS[row].name);
}

bool setting_given(const struct policy *p, uint32_t row)
{
    return p->seen & 1u << row;
}

bool setting_is_of_policy(uint32_t row)
{
    return SETTINGS[row].later != NOT_OF_POLICY;
}

uint8_t *setting_mode(struct policy *p, uint32_t row)
{
    return SETTINGS[row].later == TIGHTENS ? field_of(p, &SETTINGS[row]) : NULL;
}

void setting_write(const struct policy *p, uint32_t row, struct writer *w)
{
    KINDS[SETTINGS[row].kind].write(p, &SETTINGS[row], w);
}

void policy_write_lines(const struct policy *p, struct writer *w)
{
    for (uint32_t row = 0; row < SETTING_COUNT; row++) {
        if (!setting_given(p, row))
            continue;
        put(w, setting_name(row));
        put_char(w, '=');
        setting_write(p, row, w);
        put_char(w, '\n');
    }
}
