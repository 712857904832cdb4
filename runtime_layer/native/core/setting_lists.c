/* Reads and writes the list settings; see setting_lists.h. Tests: tests/unit/core/test_settings.py, tests/lab/fuzz/policy.c. */
#include "setting_lists.h"

#include "aws.h"
#include "setting_entries.h"
#include "suggest.h"

static uint16_t *count_of(const struct policy *p, const struct setting_list *list)
{
    return (uint16_t *)((char *)p + list->count);
}

/* A row of the list begins with the text of its entry. */
static struct pooled *row_at(const struct policy *p, const struct setting_list *list, uint32_t i)
{
    return (struct pooled *)((char *)p + list->rows + i * list->row_size);
}

/* The row of an entry: the present one, or a new one of zeros. NULL: there is no room. */
static struct pooled *take_row(struct policy *p, const struct setting *s, struct text entry,
                               struct writer *error)
{
    const struct setting_list *list = &setting_lists[s->values];
    uint16_t *count = count_of(p, list);
    for (uint32_t i = 0; i < *count; i++)
        if (text_equal(policy_text(p, *row_at(p, list, i)), entry))
            return row_at(p, list, i);
    if (*count == list->max) {
        setting_refuse_list(error, s, text_of(list->too_many));
        return NULL;
    }
    struct pooled *row = row_at(p, list, *count);
    fill_bytes(row, 0, list->row_size);
    if (!setting_keep(p, s, entry, row, error))
        return NULL;
    ++*count;
    return row;
}

/* Whether the entry holds loopback addresses, which are never judged. */
static bool is_loopback_rule(const struct outbound_rule *rule, struct text canonical)
{
    return rule->kind == OUTBOUND_NETWORK
               ? network_has_loopback(&rule->network, rule->prefix)
               : text_equal((struct text){canonical.at + rule->name.at, rule->name.len}, TEXT("localhost"));
}

static bool add_rule(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    char canonical[ENTRY_CANONICAL_MAX];
    struct writer form = {.at = canonical, .cap = sizeof canonical};
    struct outbound_rule rule, *row;
    bool denies = s->values == DENIED_LIST;
    uint32_t mark = error->used;
    setting_culprit(error, s, entry);
    if (!entry_outbound(entry, denies, &rule, &form, error))
        return false;
    setting_take_back(error, mark);
    struct text whole = {canonical, form.used};
    if (denies && is_loopback_rule(&rule, whole))
        return setting_refuse(
            error, s, entry,
            TEXT("has addresses of the machine itself, where the Runtime API is; take it out"));
    row = (struct outbound_rule *)take_row(p, s, whole, error);
    if (!row)
        return false;
    uint16_t at = row->entry.at;
    *row = rule;
    row->entry.at = (uint16_t)(rule.entry.at + at);
    row->name.at = (uint16_t)(rule.name.at + at);
    row->packages.at = (uint16_t)(rule.packages.at + at);
    p->denies_names = p->denies_names || (denies && rule.kind != OUTBOUND_NETWORK);
    return true;
}

/* An entry that is canonical as it is. */
static bool add_text(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    uint32_t mark = error->used;
    setting_culprit(error, s, entry);
    if (!setting_lists[s->values].is_entry(entry, error))
        return false;
    setting_take_back(error, mark);
    return take_row(p, s, entry, error) != NULL;
}

static const struct text UNSHIELDED = {"unshielded:", 11};

static bool add_child(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    bool unshielded = text_starts(entry, UNSHIELDED);
    struct text path = entry;
    uint32_t mark = error->used;
    if (unshielded)
        path = text_behind(entry, UNSHIELDED.len);
    setting_culprit(error, s, entry);
    if (!entry_program(path, error))
        return false;
    setting_take_back(error, mark);
    struct child_rule *row = (struct child_rule *)take_row(p, s, path, error);
    if (row)
        row->unshielded = row->unshielded || unshielded;
    return row != NULL;
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
            return setting_refuse_list(error, s, TEXT("more than 64 services; use all"));
        p->aws_services[p->aws_count++] = index;
        return true;
    }
    if (text_equal(entry, TEXT("all")) || text_equal(entry, TEXT("none")))
        return setting_refuse(error, s, entry, TEXT("stands alone; use all, none, or a list of services"));
    for (uint16_t i = 0; aws_service_name(i).len; i++)
        suggest_offer(&near, aws_service_name(i));
    setting_culprit(error, s, entry);
    put_words(error, "is not an AWS service; use ");
    if (near.best.len) {
        put_char(error, '"');
        put(error, near.best);
        put_words(error, "\", or another");
    } else {
        put_words(error, "all, none, or a");
    }
    put_words(error, " name from botocore, such as s3 or dynamodb");
    return false;
}

static bool add_bucket(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    uint32_t mark = error->used;
    struct pooled kept;
    setting_culprit(error, s, entry);
    if (!entry_bucket(entry, error))
        return false;
    setting_take_back(error, mark);
    if (text_lists(policy_text(p, p->buckets), entry))
        return true;
    /* The list is kept as one text with commas; no other text enters the pool while it is read. */
    if ((p->buckets.len && !setting_keep(p, s, TEXT(","), &kept, error)) ||
        !setting_keep(p, s, entry, &kept, error))
        return false;
    if (!p->buckets.len)
        p->buckets.at = kept.at;
    p->buckets.len = (uint16_t)(p->pool_used - p->buckets.at);
    return true;
}

#define ROWS(rows, count)                                                                                    \
    offsetof(struct policy, rows), offsetof(struct policy, count), sizeof(((struct policy *)0)->rows[0])
const struct setting_list setting_lists[SETTING_LISTS] = {
    [OUTBOUND_LIST] = {add_rule, NULL, ROWS(outbound, outbound_count), MAX_OUTBOUND,
                       "more than 512 entries; use *.domain or networks"},
    [DENIED_LIST] = {add_rule, NULL, ROWS(denied, denied_count), MAX_DENIED,
                     "more than 256 entries; use *.domain or networks"},
    [TMP_LIST] = {add_text, entry_tmp, ROWS(tmp, tmp_count), MAX_TMP, "more than 128 entries; use globs"},
    [CHILD_LIST] = {add_child, NULL, ROWS(child, child_count), MAX_CHILD,
                    "more than 128 entries; set SHIELD_CREATE_CHILD_PROCESS to alert or allow"},
    [MEMORY_LIST] = {add_text, entry_object, ROWS(memory, memory_count), MAX_MEMORY,
                     "more than 32 entries; set SHIELD_EXECUTABLE_MEMORY to allow"},
    [AWS_LIST] = {.add = add_aws},
    [BUCKET_LIST] = {.add = add_bucket},
};

/* Blanks around entries are ignored; an empty list admits nothing. */
bool read_list(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    struct text entry;
    if (!value.len)
        return true;
    while (text_next(&value, ',', &entry)) {
        entry = text_trim(entry);
        if (!entry.len)
            return setting_refuse_list(error, s,
                                       TEXT("an empty entry between commas; take out the extra comma"));
        if (!setting_lists[s->values].add(p, s, entry, error))
            return false;
    }
    return true;
}

void write_list(const struct policy *p, const struct setting *s, struct writer *w)
{
    const struct setting_list *list = &setting_lists[s->values];
    for (uint32_t i = 0; i < *count_of(p, list); i++) {
        const struct pooled *row = row_at(p, list, i);
        put_words(w, i ? "," : "");
        if (s->values == CHILD_LIST && ((const struct child_rule *)row)->unshielded)
            put(w, UNSHIELDED);
        put(w, policy_text(p, *row));
    }
}

bool read_buckets(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    /* An empty value is refused, as it could mean any bucket or no bucket. */
    if (!value.len)
        return setting_refuse_list(error, s,
                                   TEXT("the value is empty; name buckets, or leave the setting out"));
    /* The buckets of an earlier source are copied to the end of the pool, so that more can be appended. */
    return (!p->buckets.len || setting_keep(p, s, policy_text(p, p->buckets), &p->buckets, error)) &&
           read_list(p, s, value, error);
}

bool read_aws(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    if (!value.len)
        return setting_refuse_list(
            error, s, TEXT("the value is empty; use all, none, or services such as s3,dynamodb"));
    p->aws = text_equal(value, TEXT("none"))  ? AWS_NONE
             : text_equal(value, TEXT("all")) ? AWS_ALL
                                              : AWS_LISTED;
    return p->aws != AWS_LISTED || read_list(p, s, value, error);
}

void write_aws(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    if (p->aws != AWS_LISTED)
        put_words(w, p->aws == AWS_ALL ? "all" : "none");
    for (uint32_t i = 0; i < p->aws_count; i++) {
        put_words(w, i ? "," : "");
        put(w, aws_service_name(p->aws_services[i]));
    }
}
