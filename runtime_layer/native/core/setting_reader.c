/* Writes errors and keeps texts for the readers of settings; see setting_reader.h. Tests: tests/unit/core/test_settings.py. */
#include "setting_reader.h"

void setting_culprit(struct writer *error, const struct setting *s, struct text offending)
{
    put_words(error, s->name);
    put_words(error, ": \"");
    if (!put_json(error, offending, SHOWN_MAX))
        put_words(error, "...");
    put_words(error, "\" ");
}

void setting_take_back(struct writer *error, uint32_t mark)
{
    error->used = mark;
    error->full = false;
}

bool setting_refuse(struct writer *error, const struct setting *s, struct text offending, struct text reason)
{
    setting_culprit(error, s, offending);
    put(error, reason);
    return false;
}

bool setting_refuse_list(struct writer *error, const struct setting *s, struct text reason)
{
    put_words(error, s->name);
    put_words(error, ": ");
    put(error, reason);
    return false;
}

bool setting_keep(struct policy *p, const struct setting *s, struct text t, struct pooled *at,
                  struct writer *error)
{
    if (t.len > (uint32_t)(POLICY_POOL - p->pool_used))
        return setting_refuse_list(error, s,
                                   TEXT("the lists together are longer than 32768 bytes; shorten them with "
                                        "*.domain, networks or globs"));
    *at = (struct pooled){p->pool_used, (uint16_t)t.len};
    copy_bytes(p->pool + p->pool_used, t.at, t.len);
    p->pool_used = (uint16_t)(p->pool_used + t.len);
    return true;
}
