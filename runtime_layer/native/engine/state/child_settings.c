/* Tests: tests/integration/engine/test_behaviour.py. */
#include "child_settings.h"

/* Appends a text, and returns its offset; 0: it does not fit. Kept texts do not move, as a child may be getting them now. */
static uint16_t append(struct kept_texts *texts, const struct text *parts, uint32_t count)
{
    struct writer w = {texts->pool, texts->used ? texts->used : 1, sizeof texts->pool, false};
    uint16_t at = (uint16_t)w.used;
    for (uint32_t i = 0; i < count; i++)
        put(&w, parts[i]);
    put_char(&w, 0);
    if (w.full)
        return 0;
    texts->used = w.used;
    return at;
}

uint16_t keep_text(struct kept_texts *texts, struct text t)
{
    return t.len ? append(texts, &t, 1) : 0;
}

static uint16_t append_setting(struct kept_texts *texts, struct text prefix, struct text name,
                               struct text value)
{
    const struct text parts[] = {prefix, name, TEXT("="), value};
    return append(texts, parts, sizeof parts / sizeof *parts);
}

uint16_t keep_setting(struct kept_texts *texts, struct text prefix, struct text name, struct text value)
{
    uint16_t at = texts->setting_count == MAX_SETTINGS ? 0 : append_setting(texts, prefix, name, value);
    if (!at)
        return 0;
    texts->settings[texts->setting_count++] = at;
    return (uint16_t)(at + prefix.len + name.len + 1);
}

static bool begins_with_name(struct text setting, struct text name)
{
    return text_starts(setting, name) && setting.len > name.len && setting.at[name.len] == '=';
}

bool replace_setting(struct kept_texts *texts, struct text name, struct text value)
{
    uint32_t i = 0;
    while (i < texts->setting_count && !begins_with_name(text_of(texts->pool + texts->settings[i]), name))
        i++;
    if (i < texts->setting_count) {
        struct text now = text_of(texts->pool + texts->settings[i]);
        if (text_equal((struct text){now.at + name.len + 1, now.len - name.len - 1}, value))
            return true;
    }
    uint16_t at = i < MAX_SETTINGS ? append_setting(texts, TEXT(""), name, value) : 0;
    if (!at)
        return false;
    texts->settings[i] = at;
    texts->setting_count += i == texts->setting_count;
    return true;
}
