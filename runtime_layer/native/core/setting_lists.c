/* Reads and writes the list settings; see setting_lists.h. */
#include "setting_lists.h"

#include "aws.h"
#include "setting_entries.h"
#include "suggest.h"

static bool same_rule(const struct policy *p, const struct outbound_rule *rule, struct text entry)
{
    return text_equal(policy_text(p, rule->entry), entry);
}

/* A list of hosts and networks. */
struct kept_rules {
    struct outbound_rule *rules;
    uint16_t *count;
    uint32_t max;
    struct text too_many;
    bool denies;
};

/* Whether the entry holds loopback addresses, which are never judged. */
static bool is_loopback_rule(const struct outbound_rule *rule, struct text canonical)
{
    return rule->kind == OUTBOUND_NETWORK
               ? network_has_loopback(&rule->network, rule->prefix)
               : text_equal((struct text){canonical.at + rule->name.at, rule->name.len}, TEXT("localhost"));
}

static bool add_rule(struct policy *p, const struct setting *s, struct text entry, struct writer *error,
                     const struct kept_rules *list)
{
    char canonical[ENTRY_CANONICAL_MAX];
    struct writer form = {.at = canonical, .cap = sizeof canonical};
    struct outbound_rule rule;
    struct pooled kept;
    uint32_t mark = error->used;
    setting_culprit(error, s, entry);
    if (!entry_outbound(entry, list->denies, &rule, &form, error))
        return false;
    setting_take_back(error, mark);
    struct text whole = {canonical, form.used};
    if (list->denies && is_loopback_rule(&rule, whole))
        return setting_refuse(
            error, s, entry,
            TEXT("has addresses of the machine itself, where the Runtime API is; take it out"));
    for (uint32_t i = 0; i < *list->count; i++)
        if (same_rule(p, &list->rules[i], whole))
            return true;
    if (*list->count == list->max)
        return setting_refuse_list(error, s, list->too_many);
    if (!setting_keep(p, whole, &kept))
        return setting_refuse_list(error, s, POOL_FULL);
    rule.entry.at = (uint16_t)(rule.entry.at + kept.at);
    rule.name.at = (uint16_t)(rule.name.at + kept.at);
    rule.packages.at = (uint16_t)(rule.packages.at + kept.at);
    list->rules[*list->count] = rule;
    *list->count += 1;
    return true;
}

static bool add_outbound(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    const struct kept_rules list = {p->outbound, &p->outbound_count, MAX_OUTBOUND,
                                    TEXT("more than 512 entries; use *.domain or networks"), false};
    return add_rule(p, s, entry, error, &list);
}

static bool add_denied(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    const struct kept_rules list = {p->denied, &p->denied_count, MAX_DENIED,
                                    TEXT("more than 256 entries; use *.domain or networks"), true};
    if (!add_rule(p, s, entry, error, &list))
        return false;
    p->denies_names = p->denies_names || p->denied[p->denied_count - 1].kind != OUTBOUND_NETWORK;
    return true;
}

/* A list of texts in the policy's pool. */
struct kept_texts {
    struct pooled *entries;
    uint16_t *count;
    uint32_t max;
    struct text too_many;
    bool (*is_entry)(struct text entry, struct writer *error);
};

static bool add_text(struct policy *p, const struct setting *s, struct text entry, struct writer *error,
                     const struct kept_texts *list)
{
    uint32_t mark = error->used;
    setting_culprit(error, s, entry);
    if (!list->is_entry(entry, error))
        return false;
    setting_take_back(error, mark);
    for (uint32_t i = 0; i < *list->count; i++)
        if (text_equal(policy_text(p, list->entries[i]), entry))
            return true;
    if (*list->count == list->max)
        return setting_refuse_list(error, s, list->too_many);
    if (!setting_keep(p, entry, &list->entries[*list->count]))
        return setting_refuse_list(error, s, POOL_FULL);
    *list->count += 1;
    return true;
}

static bool add_tmp(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    const struct kept_texts list = {p->tmp, &p->tmp_count, MAX_TMP, TEXT("more than 128 entries; use globs"),
                                    entry_tmp};
    return add_text(p, s, entry, error, &list);
}

static bool add_memory(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    const struct kept_texts list = {p->memory, &p->memory_count, MAX_MEMORY,
                                    TEXT("more than 32 entries; set SHIELD_EXECUTABLE_MEMORY to allow"),
                                    entry_object};
    return add_text(p, s, entry, error, &list);
}

static const struct text UNSHIELDED = {"unshielded:", 11};

static bool add_child(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    struct child_rule rule = {.unshielded = text_starts(entry, UNSHIELDED)};
    struct text path = entry;
    uint32_t mark = error->used;
    if (rule.unshielded)
        path = (struct text){entry.at + UNSHIELDED.len, entry.len - UNSHIELDED.len};
    setting_culprit(error, s, entry);
    for (uint32_t i = 0; i < path.len; i++) {
        if (path.at[i] == '*' || path.at[i] == '?') {
            put(error, TEXT("has a wildcard; list each program by its whole path"));
            return false;
        }
    }
    if (!entry_program(path, error))
        return false;
    setting_take_back(error, mark);
    for (uint32_t i = 0; i < p->child_count; i++) {
        if (text_equal(policy_text(p, p->child[i].path), path)) {
            p->child[i].unshielded = p->child[i].unshielded || rule.unshielded;
            return true;
        }
    }
    if (p->child_count == MAX_CHILD)
        return setting_refuse_list(
            error, s, TEXT("more than 128 entries; set SHIELD_CREATE_CHILD_PROCESS to alert or allow"));
    if (!setting_keep(p, path, &rule.path))
        return setting_refuse_list(error, s, POOL_FULL);
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
            return setting_refuse_list(error, s, TEXT("more than 64 services; use all"));
        p->aws_services[p->aws_count++] = index;
        return true;
    }
    if (text_equal(entry, TEXT("all")) || text_equal(entry, TEXT("none")))
        return setting_refuse(error, s, entry, TEXT("stands alone; use all, none, or a list of services"));
    for (uint16_t i = 0; aws_service_name(i).len; i++)
        suggest_offer(&near, aws_service_name(i));
    setting_culprit(error, s, entry);
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

static bool add_bucket(struct policy *p, const struct setting *s, struct text entry, struct writer *error)
{
    struct text rest = policy_text(p, p->buckets), known;
    uint32_t mark = error->used;
    struct pooled kept;
    setting_culprit(error, s, entry);
    if (!entry_bucket(entry, error))
        return false;
    setting_take_back(error, mark);
    while (p->buckets.len && text_next(&rest, ',', &known))
        if (text_equal(known, entry))
            return true;
    /* The list is kept as one text with commas; no other text enters the pool while it is read. */
    if ((p->buckets.len && !setting_keep(p, TEXT(","), &kept)) || !setting_keep(p, entry, &kept))
        return setting_refuse_list(error, s, POOL_FULL);
    if (!p->buckets.len)
        p->buckets.at = kept.at;
    p->buckets.len = (uint16_t)(p->pool_used - p->buckets.at);
    return true;
}

/* Reads entries between commas. Blanks around them are ignored; an empty list admits nothing. */
static bool read_list(struct policy *p, const struct setting *s, struct text value, struct writer *error,
                      bool (*add)(struct policy *, const struct setting *, struct text, struct writer *))
{
    struct text entry;
    if (!value.len)
        return true;
    while (text_next(&value, ',', &entry)) {
        entry = text_trim(entry);
        if (!entry.len)
            return setting_refuse_list(error, s,
                                       TEXT("an empty entry between commas; take out the extra comma"));
        if (!add(p, s, entry, error))
            return false;
    }
    return true;
}

bool read_outbound(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_outbound);
}

/* Writes a comma before each entry except the first of a list that begins at `start`. */
static void put_separator(struct writer *w, uint32_t start)
{
    if (w->used != start)
        put_char(w, ',');
}

static void write_texts(const struct policy *p, const struct pooled *entries, uint32_t count,
                        struct writer *w)
{
    for (uint32_t i = 0, start = w->used; i < count; i++) {
        put_separator(w, start);
        put(w, policy_text(p, entries[i]));
    }
}

static void write_rules(const struct policy *p, const struct outbound_rule *rules, uint32_t count,
                        struct writer *w)
{
    for (uint32_t i = 0, start = w->used; i < count; i++) {
        put_separator(w, start);
        put(w, policy_text(p, rules[i].entry));
    }
}

void write_outbound(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    write_rules(p, p->outbound, p->outbound_count, w);
}

bool read_denied(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_denied);
}

void write_denied(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    write_rules(p, p->denied, p->denied_count, w);
}

bool read_buckets(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    /* An empty value is refused, as it could mean any bucket or no bucket. */
    if (!value.len)
        return setting_refuse_list(error, s,
                                   TEXT("the value is empty; name buckets, or leave the setting out"));
    /* The buckets of an earlier source are copied to the end of the pool, so that more can be appended. */
    if (p->buckets.len && !setting_keep(p, policy_text(p, p->buckets), &p->buckets))
        return setting_refuse_list(error, s, POOL_FULL);
    return read_list(p, s, value, error, add_bucket);
}

bool read_tmp(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_tmp);
}

void write_tmp(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    write_texts(p, p->tmp, p->tmp_count, w);
}

bool read_child(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_child);
}

void write_child(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    for (uint32_t i = 0, start = w->used; i < p->child_count; i++) {
        put_separator(w, start);
        if (p->child[i].unshielded)
            put(w, UNSHIELDED);
        put(w, policy_text(p, p->child[i].path));
    }
}

bool read_memory(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    return read_list(p, s, value, error, add_memory);
}

void write_memory(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    write_texts(p, p->memory, p->memory_count, w);
}

bool read_aws(struct policy *p, const struct setting *s, struct text value, struct writer *error)
{
    if (!value.len)
        return setting_refuse_list(
            error, s, TEXT("the value is empty; use all, none, or services such as s3,dynamodb"));
    if (text_equal(value, TEXT("none"))) {
        p->aws = AWS_NONE;
        return true;
    }
    p->aws = text_equal(value, TEXT("all")) ? AWS_ALL : AWS_LISTED;
    return p->aws == AWS_ALL || read_list(p, s, value, error, add_aws);
}

void write_aws(const struct policy *p, const struct setting *s, struct writer *w)
{
    (void)s;
    if (p->aws != AWS_LISTED)
        put(w, p->aws == AWS_ALL ? TEXT("all") : TEXT("none"));
    for (uint32_t i = 0, start = w->used; i < p->aws_count; i++) {
        put_separator(w, start);
        put(w, aws_service_name(p->aws_services[i]));
    }
}
