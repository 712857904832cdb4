/* The SHIELD_* settings: one row each says its name, how it is read and how it is written; see policy.h. */
#include "policy.h"

#include "aws.h"
#include "entries.h"
#include "settings.h"
#include "suggest.h"

enum { SHOWN_MAX = 128 /* of an offending entry in an error */ };

struct setting {
    struct text name;
    bool (*read)(struct policy *p, const struct setting *s, struct text value, struct writer *error);
    void (*write)(const struct policy *p, const struct setting *s, struct writer *w);
    uint8_t detail; /* for the reader: which mode, which switch */
};

struct text policy_text(const struct policy *p, struct pooled at)
{
    return (struct text){p->pool + at.at, at.len};
}

struct text policy_name(enum policy_id id)
{
    static const char *const names[POLICY_COUNT] = {
        [OUTBOUND_CONNECTIVITY] = "outbound_connectivity", [READ_WRITE_TMP] = "read_write_tmp",
        [CREATE_CHILD_PROCESS] = "create_child_process",   [READ_HANDLER] = "read_handler",
        [EXECUTABLE_MEMORY] = "executable_memory",         [SELF_PROTECTION] = "self_protection",
    };
    return id < POLICY_COUNT ? text_of(names[id]) : TEXT("");
}

struct text mode_name(uint8_t mode)
{
    static const char *const names[] = {
        [MODE_BLOCK] = "block",
        [MODE_ALERT] = "alert",
        [MODE_ALLOW] = "allow",
        [MODE_BY_RUNTIME] = "by_runtime",
    };
    return mode <= MODE_BY_RUNTIME ? text_of(names[mode]) : TEXT("");
}

bool mode_from(struct text t, uint8_t *mode)
{
    for (uint8_t m = MODE_BLOCK; m <= MODE_ALLOW; m++) {
        if (text_equal(t, mode_name(m))) {
            *mode = m;
            return true;
        }
    }
    return false;
}

/* SETTING: "offending" */
static void name_culprit(struct writer *error, const struct setting *s, struct text offending)
{
    put(error, s->name);
    put(error, TEXT(": \""));
    if (!put_json(error, offending, SHOWN_MAX))
        put(error, TEXT("..."));
    put(error, TEXT("\" "));
}

/* Takes back what was written in case an error came. */
static void take_back(struct writer *error, uint32_t mark)
{
    error->used = mark;
    error->full = false;
}

static bool refuse(struct writer *error, const struct setting *s, struct text offending, struct text reason)
{
    name_culprit(error, s, offending);
    put(error, reason);
    return false;
}

static bool refuse_list(struct writer *error, const struct setting *s, struct text reason)
{
    put(error, s->name);
    put(error, TEXT(": "));
    put(error, reason);
    return false;
}

static bool keep(struct policy *p, struct text t, struct pooled *at)
{
    if (t.len > (uint32_t)(POLICY_POOL - p->pool_used))
        return false;
    *at = (struct pooled){p->pool_used, (uint16_t)t.len};
    copy_bytes(p->pool + p->pool_used, t.at, t.len);
    p->pool_used = (uint16_t)(p->pool_used + t.len);
    return true;
}

#define POOL_FULL                                                                                            \
    TEXT("the lists together are longer than 32768 bytes; shorten them with *.domain, networks or globs")

/* One word out of a fixed few. */
struct choice {
    const char *word;
    uint8_t value;
};

static bool read_choice(const struct setting *s, struct text value, const struct choice *choices,
                        uint32_t count, uint8_t *chosen, struct writer *error)
{
    for (uint32_t i = 0; i < count; i++) {
        if (text_equal(value, text_of(choices[i].word))) {
            *chosen = choices[i].value;
            return true;
        }
    }
    name_culprit(error, s, value);
    put(error, TEXT("is not a value; use "));
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            put(error, i + 1 < count ? TEXT(", ") : TEXT(" or "));
        put(error, text_of(choices[i].word));
    }
    return false;
}

static bool read_mode(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    if (mode_from(value, &p->modes[s->detail]))
        return true;
    return refuse(error, s, value, TEXT("is not a mode; use block, alert or allow"));
}

static void write_mode(const struct policy *p, const struct setting *s, struct writer *w)
{
    put(w, mode_name(p->modes[s->detail]));
}

static const struct choice ON_FAILURE[] = {
    {"refuse", ON_FAILURE_REFUSE},
    {"run_unshielded", ON_FAILURE_RUN_UNSHIELDED},
};

static bool read_on_failure(struct policy *p, const struct setting *s, struct text value,
                            struct writer *error)
{
    return read_choice(s, value, ON_FAILURE, 2, &p->on_failure, error);
}

static void write_on_failure(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    put(w, text_of(ON_FAILURE[p->on_failure == ON_FAILURE_RUN_UNSHIELDED].word));
}

static const struct choice SWITCH[] = {{"on", 1}, {"off", 0}};

static bool read_log_arguments(struct policy *p, const struct setting *s, struct text value,
                               struct writer *error)
{
    uint8_t shown;
    if (!read_choice(s, value, SWITCH, 2, &shown, error))
        return false;
    p->hide_arguments = !shown;
    return true;
}

static void write_log_arguments(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    put(w, text_of(SWITCH[p->hide_arguments].word));
}

static bool same_rule(const struct policy *p, const struct outbound_rule *rule, struct text entry)
{
    return text_equal(policy_text(p, rule->entry), entry);
}

static bool add_outbound(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    char canonical[ENTRY_CANONICAL_MAX];
    struct writer form = {.at = canonical, .cap = sizeof canonical};
    struct outbound_rule rule;
    struct pooled kept;
    uint32_t mark = error->used;
    name_culprit(error, s, entry);
    if (!entry_outbound(entry, &rule, &form, error))
        return false;
    take_back(error, mark);
    for (uint32_t i = 0; i < p->outbound_count; i++)
        if (same_rule(p, &p->outbound[i], (struct text){canonical, form.used}))
            return true;
    if (p->outbound_count == MAX_OUTBOUND)
        return refuse_list(error, s, TEXT("more than 512 entries; use *.domain or networks"));
    if (!keep(p, (struct text){canonical, form.used}, &kept))
        return refuse_list(error, s, POOL_FULL);
    rule.entry.at = (uint16_t)(rule.entry.at + kept.at);
    rule.name.at = (uint16_t)(rule.name.at + kept.at);
    p->outbound[p->outbound_count++] = rule;
    return true;
}

static bool add_tmp(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    uint32_t mark = error->used;
    name_culprit(error, s, entry);
    if (!entry_tmp(entry, error))
        return false;
    take_back(error, mark);
    for (uint32_t i = 0; i < p->tmp_count; i++)
        if (text_equal(policy_text(p, p->tmp[i]), entry))
            return true;
    if (p->tmp_count == MAX_TMP)
        return refuse_list(error, s, TEXT("more than 128 entries; use globs"));
    if (!keep(p, entry, &p->tmp[p->tmp_count]))
        return refuse_list(error, s, POOL_FULL);
    p->tmp_count++;
    return true;
}

static const struct text UNSHIELDED = {"unshielded:", 11};

static bool add_child(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    struct child_rule rule = {.unshielded = text_starts(entry, UNSHIELDED)};
    struct text path = entry;
    uint32_t mark = error->used;
    if (rule.unshielded)
        path = (struct text){entry.at + UNSHIELDED.len, entry.len - UNSHIELDED.len};
    name_culprit(error, s, entry);
    for (uint32_t i = 0; i < path.len; i++) {
        if (path.at[i] == '*' || path.at[i] == '?') {
            put(error, TEXT("has a wildcard; list each program by its whole path"));
            return false;
        }
    }
    if (!entry_path(path, error))
        return false;
    take_back(error, mark);
    for (uint32_t i = 0; i < p->child_count; i++) {
        if (text_equal(policy_text(p, p->child[i].path), path)) {
            p->child[i].unshielded = p->child[i].unshielded || rule.unshielded;
            return true;
        }
    }
    if (p->child_count == MAX_CHILD)
        return refuse_list(error, s,
                           TEXT("more than 128 entries; set SHIELD_CREATE_CHILD_PROCESS to alert or allow"));
    if (!keep(p, path, &rule.path))
        return refuse_list(error, s, POOL_FULL);
    p->child[p->child_count++] = rule;
    return true;
}

static bool add_aws(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    uint16_t index;
    struct suggestion near = suggest_for(entry);
    if (aws_service_index(entry, &index)) {
        for (uint32_t i = 0; i < p->aws_count; i++)
            if (p->aws_services[i] == index)
                return true;
        if (p->aws_count == MAX_AWS_SERVICES)
            return refuse_list(error, s, TEXT("more than 64 services; use all"));
        p->aws_services[p->aws_count++] = index;
        return true;
    }
    if (text_equal(entry, TEXT("all")) || text_equal(entry, TEXT("none")))
        return refuse(error, s, entry, TEXT("stands alone; use all, none, or a list of services"));
    for (uint16_t i = 0; aws_service_name(i).len; i++)
        suggest_offer(&near, aws_service_name(i));
    name_culprit(error, s, entry);
    put(error, TEXT("is not an AWS service; use "));
    if (near.best.len) {
        put_char(error, '"');
        put(error, near.best);
        put(error, TEXT("\", or another"));
    } else {
        put(error, TEXT("all, none, or a"));
    }
    put(error, TEXT(" name from botocore, such as s3 or dynamodb"));
    return false;
}

/* Entries between commas. Blanks around them do not matter, and an empty list is one that admits nothing. */
static bool read_list(struct policy *p, const struct setting *s, struct text value, struct writer *error,
                      bool (*add)(struct policy *, const struct setting *, struct text, struct writer *))
{
    struct text entry;
    if (!value.len)
        return true;
    while (text_next(&value, ',', &entry)) {
        entry = text_trim(entry);
        if (!entry.len)
            return refuse_list(error, s, TEXT("an empty entry between commas; take out the extra comma"));
        if (!add(p, s, entry, error))
            return false;
    }
    return true;
}

static bool read_outbound(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_outbound);
}

static void separate(struct writer *w, uint32_t index)
{
    if (index)
        put_char(w, ',');
}

static void write_outbound(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    for (uint32_t i = 0; i < p->outbound_count; i++) {
        separate(w, i);
        put(w, policy_text(p, p->outbound[i].entry));
    }
}

static bool read_tmp(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_tmp);
}

static void write_tmp(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    for (uint32_t i = 0; i < p->tmp_count; i++) {
        separate(w, i);
        put(w, policy_text(p, p->tmp[i]));
    }
}

static bool read_child(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_child);
}

static void write_child(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    for (uint32_t i = 0; i < p->child_count; i++) {
        separate(w, i);
        if (p->child[i].unshielded)
            put(w, UNSHIELDED);
        put(w, policy_text(p, p->child[i].path));
    }
}

static bool read_aws(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    if (!value.len)
        return refuse_list(error, s,
                           TEXT("the value is empty; use all, none, or services such as s3,dynamodb"));
    if (text_equal(value, TEXT("none"))) {
        p->aws = AWS_NONE;
        return true;
    }
    p->aws = text_equal(value, TEXT("all")) ? AWS_ALL : AWS_LISTED;
    return p->aws == AWS_ALL || read_list(p, s, value, error, add_aws);
}

static void write_aws(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    if (p->aws != AWS_LISTED)
        put(w, p->aws == AWS_ALL ? TEXT("all") : TEXT("none"));
    for (uint32_t i = 0; i < p->aws_count; i++) {
        separate(w, i);
        put(w, aws_service_name(p->aws_services[i]));
    }
}

static bool read_one_path(struct policy *p, const struct setting *s, struct text value, struct writer *error,
                          struct pooled *to)
{
    uint32_t mark = error->used;
    name_culprit(error, s, value);
    if (!entry_path(value, error))
        return false;
    take_back(error, mark);
    return keep(p, value, to) || refuse_list(error, s, POOL_FULL);
}

static bool read_next_wrapper(struct policy *p, const struct setting *s, struct text value,
                              struct writer *error)
{
    return read_one_path(p, s, value, error, &p->next_wrapper);
}

static void write_next_wrapper(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    put(w, policy_text(p, p->next_wrapper));
}

static bool read_policy_file(struct policy *p, const struct setting *s, struct text value,
                             struct writer *error)
{
    return read_one_path(p, s, value, error, &p->policy_file);
}

static void write_policy_file(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    put(w, policy_text(p, p->policy_file));
}

static bool read_region(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    bool well = value.len <= 32;
    for (uint32_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        well = well && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    }
    if (!well)
        return refuse(error, s, value, TEXT("is not a region; use a name such as us-east-1"));
    return keep(p, value, &p->region) || refuse_list(error, s, POOL_FULL);
}

static void write_region(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    put(w, policy_text(p, p->region));
}

#define NAME(literal) {literal, sizeof(literal) - 1}

/* The bit of a setting in policy.seen is its row. */
static const struct setting SETTINGS[] = {
    {NAME("SHIELD_OUTBOUND_CONNECTIVITY"), read_mode, write_mode, OUTBOUND_CONNECTIVITY},
    {NAME("SHIELD_ALLOW_OUTBOUND"), read_outbound, write_outbound, 0},
    {NAME("SHIELD_ALLOW_AWS"), read_aws, write_aws, 0},
    {NAME("SHIELD_READ_WRITE_TMP"), read_mode, write_mode, READ_WRITE_TMP},
    {NAME("SHIELD_ALLOW_TMP"), read_tmp, write_tmp, 0},
    {NAME("SHIELD_CREATE_CHILD_PROCESS"), read_mode, write_mode, CREATE_CHILD_PROCESS},
    {NAME("SHIELD_ALLOW_CHILD_PROCESS"), read_child, write_child, 0},
    {NAME("SHIELD_READ_HANDLER"), read_mode, write_mode, READ_HANDLER},
    {NAME("SHIELD_EXECUTABLE_MEMORY"), read_mode, write_mode, EXECUTABLE_MEMORY},
    {NAME("SHIELD_ON_FAILURE"), read_on_failure, write_on_failure, 0},
    {NAME("SHIELD_LOG_ARGUMENTS"), read_log_arguments, write_log_arguments, 0},
    {NAME("SHIELD_NEXT_WRAPPER"), read_next_wrapper, write_next_wrapper, 0},
    {NAME("SHIELD_POLICY_FILE"), read_policy_file, write_policy_file, 0},
    {NAME("AWS_REGION"), read_region, write_region, 0},
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
        if (text_equal(SETTINGS[i].name, name))
            return &SETTINGS[i];
    return NULL;
}

static bool refuse_unknown(struct text name, struct writer *error)
{
    struct suggestion near = suggest_for(name);
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        suggest_offer(&near, SETTINGS[i].name);
    if (!put_json(error, name, SHOWN_MAX))
        put(error, TEXT("..."));
    put(error, TEXT(": there is no such setting; "));
    if (near.best.len) {
        put(error, TEXT("did you mean "));
        put(error, near.best);
        put_char(error, '?');
    } else {
        put(error, TEXT("take it out, or see the policy table for the names"));
    }
    return false;
}

void policy_begin(struct policy *p)
{
    fill_bytes(p, 0, sizeof *p);
    p->modes[EXECUTABLE_MEMORY] = MODE_BY_RUNTIME;
    p->aws = AWS_ALL;
}

bool policy_set(struct policy *p, struct text name, struct text value, struct writer *error)
{
    const struct setting *s = find_setting(name);
    uint32_t bit;
    if (!s)
        return !is_ours(name) || text_equal(name, TEXT("SHIELD_STATE")) || refuse_unknown(name, error);
    bit = 1u << (s - SETTINGS);
    if (p->seen & bit)
        return refuse_list(error, s, TEXT("given twice; leave one of them out"));
    p->seen |= bit;
    if (is_ours(name))
        p->settings_seen++;
    return s->read(p, s, text_trim(value), error);
}

static bool set_line(struct policy *p, struct text line, struct writer *error)
{
    struct text name, value = line;
    text_next(&value, '=', &name);
    name = text_trim(name);
    if (!value.at) {
        put_char(error, '"');
        put_json(error, line, SHOWN_MAX);
        put(error, TEXT("\" is not a setting; write NAME=value"));
        return false;
    }
    /* The lines are ours alone, unlike an environment: a name of someone else's is a misspelt one. */
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
        put(error, TEXT("line "));
        put_number(error, number);
        put(error, TEXT(": "));
        if (!set_line(p, line, error))
            return false;
        take_back(error, mark);
    }
    return true;
}

bool policy_end(struct policy *p, struct writer *error)
{
    if (p->settings_seen)
        return true;
    put(error,
        TEXT("there is no policy: not one SHIELD_ setting was given; set SHIELD_OUTBOUND_CONNECTIVITY, "
             "or take the shield off the function"));
    return false;
}

uint32_t setting_count(void)
{
    return SETTING_COUNT;
}

struct text setting_name(uint32_t row)
{
    return SETTINGS[row].name;
}

bool setting_given(const struct policy *p, uint32_t row)
{
    return p->seen & 1u << row;
}

void setting_write(const struct policy *p, uint32_t row, struct writer *w)
{
    SETTINGS[row].write(p, &SETTINGS[row], w);
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
