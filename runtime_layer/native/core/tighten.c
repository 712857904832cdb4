/* Making a policy stricter; see tighten.h. */
#include "tighten.h"

#include "aws.h"
#include "settings.h"
#include "tightening.h"

static bool refuse_looser(struct writer *error, const struct setting *s, struct text wanted, struct text now)
{
    setting_culprit(error, s, wanted);
    put(error, TEXT("is looser than "));
    put(error, now);
    put(error, TEXT(", which is in force; a later call may only tighten"));
    return false;
}

/* The value that a setting has in each. */
static bool refuse_change(const struct policy *p, const struct policy *wanted, const struct setting *s,
                          struct writer *error)
{
    put(error, s->name);
    put(error, TEXT(": "));
    s->write(wanted, s, error);
    put(error, TEXT(" is not "));
    s->write(p, s, error);
    put(error, TEXT(", which is in force; this field cannot change"));
    return false;
}

static bool refuse_entry(struct writer *error, const struct setting *s, struct text entry)
{
    return setting_refuse(error, s, entry,
                          TEXT("is not in the list in force; a later call may only take entries out"));
}

bool tighten_mode(struct policy *p, const struct policy *wanted, const struct setting *s,
                  struct writer *error)
{
    uint8_t *now = &p->modes[s->detail], to = wanted->modes[s->detail];
    if (to > *now)
        return refuse_looser(error, s, mode_name(to), mode_name(*now));
    *now = to;
    return true;
}

bool tighten_unusual_names(struct policy *p, const struct policy *wanted, const struct setting *s,
                           struct writer *error)
{
    if (wanted->unusual_names > p->unusual_names)
        return refuse_looser(error, s, mode_name(wanted->unusual_names), mode_name(p->unusual_names));
    p->unusual_names = wanted->unusual_names;
    return true;
}

bool tighten_check_server_name(struct policy *p, const struct policy *wanted, const struct setting *s,
                               struct writer *error)
{
    if (wanted->skip_server_name && !p->skip_server_name)
        return refuse_looser(error, s, TEXT("off"), TEXT("on"));
    p->skip_server_name = wanted->skip_server_name;
    return true;
}

bool tighten_on_failure(struct policy *p, const struct policy *wanted, const struct setting *s,
                        struct writer *error)
{
    return wanted->on_failure == p->on_failure || refuse_change(p, wanted, s, error);
}

/* Neither is stricter: one hides secrets, the other shows what was tried. */
bool tighten_log_arguments(struct policy *p, const struct policy *wanted, const struct setting *s,
                           struct writer *error)
{
    return wanted->hide_arguments == p->hide_arguments || refuse_change(p, wanted, s, error);
}

static bool has_outbound(const struct policy *p, struct text entry)
{
    for (uint32_t i = 0; i < p->outbound_count; i++)
        if (p->outbound[i].kind != OUTBOUND_REMOVED &&
            text_equal(policy_text(p, p->outbound[i].entry), entry))
            return true;
    return false;
}

bool tighten_outbound(struct policy *p, const struct policy *wanted, const struct setting *s,
                      struct writer *error)
{
    for (uint32_t i = 0; i < wanted->outbound_count; i++) {
        struct text entry = policy_text(wanted, wanted->outbound[i].entry);
        if (!has_outbound(p, entry))
            return refuse_entry(error, s, entry);
    }
    for (uint32_t i = 0; i < p->outbound_count; i++)
        if (!has_outbound(wanted, policy_text(p, p->outbound[i].entry)))
            p->outbound[i].kind = OUTBOUND_REMOVED;
    return true;
}

static bool has_tmp(const struct policy *p, struct text glob)
{
    for (uint32_t i = 0; i < p->tmp_count; i++)
        if (p->tmp[i].len && text_equal(policy_text(p, p->tmp[i]), glob))
            return true;
    return false;
}

bool tighten_tmp(struct policy *p, const struct policy *wanted, const struct setting *s, struct writer *error)
{
    for (uint32_t i = 0; i < wanted->tmp_count; i++)
        if (!has_tmp(p, policy_text(wanted, wanted->tmp[i])))
            return refuse_entry(error, s, policy_text(wanted, wanted->tmp[i]));
    for (uint32_t i = 0; i < p->tmp_count; i++)
        if (!has_tmp(wanted, policy_text(p, p->tmp[i])))
            p->tmp[i].len = 0;
    return true;
}

static const struct child_rule *find_child(const struct policy *p, struct text path)
{
    for (uint32_t i = 0; i < p->child_count; i++)
        if (!p->child[i].removed && text_equal(policy_text(p, p->child[i].path), path))
            return &p->child[i];
    return NULL;
}

bool tighten_child(struct policy *p, const struct policy *wanted, const struct setting *s,
                   struct writer *error)
{
    for (uint32_t i = 0; i < wanted->child_count; i++) {
        const struct child_rule *rule = &wanted->child[i];
        const struct child_rule *now = find_child(p, policy_text(wanted, rule->path));
        if (!now)
            return refuse_entry(error, s, policy_text(wanted, rule->path));
        if (rule->unshielded && !now->unshielded)
            return setting_refuse(
                error, s, policy_text(wanted, rule->path),
                TEXT("is not listed with unshielded: in the list in force; take that away"));
    }
    for (uint32_t i = 0; i < p->child_count; i++) {
        const struct child_rule *rule = find_child(wanted, policy_text(p, p->child[i].path));
        p->child[i].removed |= !rule;
        p->child[i].unshielded &= rule && rule->unshielded;
    }
    return true;
}

static bool has_service(const struct policy *p, uint16_t service)
{
    for (uint32_t i = 0; i < p->aws_count; i++)
        if (p->aws_services[i] == service)
            return true;
    return p->aws == AWS_ALL;
}

bool tighten_aws(struct policy *p, const struct policy *wanted, const struct setting *s, struct writer *error)
{
    if (wanted->aws == AWS_ALL && p->aws != AWS_ALL)
        return refuse_looser(error, s, TEXT("all"), p->aws == AWS_NONE ? TEXT("none") : TEXT("a list"));
    for (uint32_t i = 0; i < wanted->aws_count; i++)
        if (!has_service(p, wanted->aws_services[i]))
            return refuse_entry(error, s, aws_service_name(wanted->aws_services[i]));
    p->aws_narrowed |= wanted->aws != p->aws || wanted->aws_count != p->aws_count;
    copy_bytes(p->aws_services, wanted->aws_services, wanted->aws_count * sizeof *p->aws_services);
    p->aws_count = wanted->aws_count;
    p->aws = wanted->aws;
    return true;
}

static bool has_bucket(const struct policy *p, struct text bucket)
{
    struct text rest = policy_text(p, p->buckets), known;
    while (rest.len && text_next(&rest, ',', &known))
        if (text_equal(known, bucket))
            return true;
    return false;
}

/* The first list: it admits host names of S3 whatever allow_aws says, so S3 must have been admitted. */
static bool first_buckets(struct policy *p, const struct policy *wanted, const struct setting *s,
                          struct writer *error)
{
    uint16_t s3;
    if (!aws_service_index(TEXT("s3"), &s3) || !has_service(p, s3))
        return setting_refuse_list(error, s,
                                   TEXT("S3 is not admitted by the policy in force; leave the buckets out"));
    p->aws_narrowed = true;
    return setting_keep(p, policy_text(wanted, wanted->buckets), &p->buckets) ||
           setting_refuse_list(error, s, POOL_FULL);
}

bool tighten_buckets(struct policy *p, const struct policy *wanted, const struct setting *s,
                     struct writer *error)
{
    struct text rest = policy_text(wanted, wanted->buckets), bucket;
    if (!p->buckets.len)
        return first_buckets(p, wanted, s, error);
    while (rest.len && text_next(&rest, ',', &bucket))
        if (!has_bucket(p, bucket))
            return refuse_entry(error, s, bucket);
    /* Those that are gone leave commas: nothing moves. */
    rest = policy_text(p, p->buckets);
    while (rest.len && text_next(&rest, ',', &bucket))
        if (bucket.len && !has_bucket(wanted, bucket)) {
            fill_bytes(p->pool + (bucket.at - p->pool), ',', bucket.len);
            p->aws_narrowed = true;
        }
    return true;
}

/* Errors of the core name variables; whoever writes code looks for the field: SHIELD_ALLOW_TMP is allow_tmp. */
static void put_as_code_says(struct writer *error, struct text said)
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
            if (c != '_' && !(c >= 'A' && c <= 'Z'))
                break;
            put_char(error, c == '_' ? c : (char)(c + 'a' - 'A'));
        }
        i--;
    }
}

/* Settings of the layer, the engine and the function's place are not for code to make. */
static bool is_for_code(struct text name)
{
    if (text_equal(name, TEXT("SHIELD_STATE")))
        return false;
    for (uint32_t row = 0; row < setting_count(); row++)
        if (text_equal(setting_name(row), name))
            return setting_is_of_policy(row);
    return true; /* an unknown one, which policy_set_lines says */
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
        put(error, TEXT(": is not a field of a policy; take it out"));
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
        put(error, TEXT("the policy has a control character; take it out"));
        return false;
    }
    if (are_for_code(lines, &w) && policy_set_lines(p, lines, &w) && policy_end(p, &w))
        return true;
    put_as_code_says(error, (struct text){said, w.used});
    return false;
}

bool policy_tighten(struct policy *p, const struct policy *wanted, struct writer *error)
{
    char said[512];
    struct writer w = {said, 0, sizeof said, false};
    if (settings_tighten(p, wanted, &w))
        return true;
    put_as_code_says(error, (struct text){said, w.used});
    return false;
}
