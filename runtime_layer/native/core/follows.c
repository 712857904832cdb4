#include "follows.h"

#include "aws.h"
#include "settings.h"

static bool same_place(struct pooled a, struct pooled b)
{
    return a.at == b.at && a.len == b.len;
}

static bool modes_follow(const struct policy *now, const struct policy *next)
{
    bool well = next->unusual_names <= now->unusual_names &&
                next->skip_server_name <= now->skip_server_name && next->aws_narrowed >= now->aws_narrowed &&
                next->on_failure == now->on_failure && next->hide_arguments == now->hide_arguments;
    for (uint32_t id = 0; id < POLICY_COUNT; id++)
        well &= next->modes[id] <= now->modes[id];
    return well;
}

/* Texts stay where they are, new ones come behind them; of the buckets, those that are gone leave commas. */
static bool texts_follow(const struct policy *now, const struct policy *next)
{
    struct pooled b = now->buckets;
    bool well = next->pool_used >= now->pool_used && next->pool_used <= POLICY_POOL &&
                same_place(next->region, now->region) && same_place(next->account, now->account);
    for (uint32_t i = 0; i < now->pool_used && i < POLICY_POOL; i++) {
        bool is_bucket = i >= b.at && i < (uint32_t)b.at + b.len;
        well &= next->pool[i] == now->pool[i] || (is_bucket && next->pool[i] == ',');
    }
    return well;
}

static bool lists_follow(const struct policy *now, const struct policy *next)
{
    bool well = next->outbound_count == now->outbound_count && next->tmp_count == now->tmp_count &&
                next->child_count == now->child_count;
    for (uint32_t i = 0; i < now->outbound_count && well; i++) {
        const struct outbound_rule *a = &now->outbound[i], *b = &next->outbound[i];
        well = same_place(a->entry, b->entry) && same_place(a->name, b->name) &&
               same_bytes(&a->network, &b->network, sizeof a->network) && a->prefix == b->prefix &&
               a->protocol == b->protocol && a->port == b->port &&
               (b->kind == a->kind || b->kind == OUTBOUND_REMOVED);
    }
    for (uint32_t i = 0; i < now->tmp_count && well; i++)
        well = same_place(now->tmp[i], next->tmp[i]) || !next->tmp[i].len;
    for (uint32_t i = 0; i < now->child_count && well; i++)
        well = same_place(now->child[i].path, next->child[i].path) &&
               next->child[i].removed >= now->child[i].removed &&
               next->child[i].unshielded <= now->child[i].unshielded;
    return well;
}

static bool admits_service(const struct policy *p, uint16_t service)
{
    bool found = p->aws == AWS_ALL;
    for (uint32_t i = 0; i < p->aws_count; i++)
        found |= p->aws_services[i] == service;
    return found;
}

static bool aws_follows(const struct policy *now, const struct policy *next)
{
    uint16_t s3;
    bool well = next->aws_count <= MAX_AWS_SERVICES && next->aws <= AWS_LISTED &&
                (next->aws != AWS_ALL || now->aws == AWS_ALL);
    for (uint32_t i = 0; i < next->aws_count && well; i++)
        well = admits_service(now, next->aws_services[i]) && aws_service_name(next->aws_services[i]).len;
    if (same_place(now->buckets, next->buckets))
        return well;
    /* The first list of buckets: of S3, if that was admitted. */
    return well && !now->buckets.len && next->buckets.at >= now->pool_used &&
           (uint32_t)next->buckets.at + next->buckets.len <= next->pool_used &&
           aws_service_index(TEXT("s3"), &s3) && admits_service(now, s3);
}

bool policy_follows(const struct policy *now, const struct policy *next)
{
    return modes_follow(now, next) && texts_follow(now, next) && lists_follow(now, next) &&
           aws_follows(now, next);
}

static bool is_among(const struct policy *p, struct text entry)
{
    bool found = false;
    for (uint32_t i = 0; i < p->outbound_count && !found; i++)
        found = text_equal(policy_text(p, p->outbound[i].entry), entry);
    for (uint32_t i = 0; i < p->tmp_count && !found; i++)
        found = text_equal(policy_text(p, p->tmp[i]), entry);
    for (uint32_t i = 0; i < p->child_count && !found; i++) {
        struct text bare = entry, prefix = TEXT("unshielded:");
        if (p->child[i].unshielded && text_starts(entry, prefix))
            bare = (struct text){entry.at + prefix.len, entry.len - prefix.len};
        found = text_equal(policy_text(p, p->child[i].path), bare);
    }
    return found;
}

bool setting_follows(const struct policy *now, const struct policy *next, struct text setting)
{
    static const char *const lists[] = {"SHIELD_ALLOW_OUTBOUND", "SHIELD_ALLOW_TMP",
                                        "SHIELD_ALLOW_CHILD_PROCESS"};
    struct text value = setting, name, entry;
    uint8_t mode;
    text_next(&value, '=', &name);
    for (uint32_t id = 0; id < POLICY_COUNT; id++) {
        struct text policy = policy_name((enum policy_id)id), prefix = TEXT("SHIELD_");
        bool same = name.len == prefix.len + policy.len && text_starts(name, prefix);
        for (uint32_t i = 0; i < policy.len && same; i++)
            same = (name.at[prefix.len + i] | 0x20) == (policy.at[i] | 0x20);
        if (same)
            return mode_from(value, &mode) && mode <= next->modes[id];
    }
    for (uint32_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (text_equal(name, text_of(lists[i]))) {
            bool well = true;
            while (well && value.len && text_next(&value, ',', &entry))
                well = is_among(now, entry);
            return well;
        }
    return text_starts(name, TEXT("SHIELD_")) && !text_starts(name, TEXT("SHIELD_STATE"));
}
