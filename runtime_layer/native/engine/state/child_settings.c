#include "child_settings.h"

uint16_t keep_text(struct text t)
{
    struct writer w = {sealed.environment, sealed.environment_used, sizeof sealed.environment, false};
    uint16_t at = (uint16_t)w.used;
    put(&w, t);
    put_char(&w, 0);
    if (w.full)
        return 0;
    sealed.environment_used = w.used;
    return at;
}

/* Puts `NAME=value` behind what is there: nothing that a child may be getting at this moment moves. Where it begins; 0:
 * it does not fit. */
static uint16_t append_setting(struct sealed *s, struct text prefix, struct text name, struct text value)
{
    struct writer w = {s->environment, s->environment_used, sizeof s->environment, false};
    uint16_t at = (uint16_t)w.used;
    put(&w, prefix);
    put(&w, name);
    put_char(&w, '=');
    put(&w, value);
    put_char(&w, 0);
    s->environment_used = w.used;
    return w.full ? 0 : at;
}

bool keep_setting(struct text prefix, struct text name, struct text value)
{
    if (sealed.setting_count == MAX_SETTINGS)
        return false;
    uint16_t at = append_setting(&sealed, prefix, name, value);
    sealed.settings[sealed.setting_count++] = at;
    return at;
}

static bool begins_with_name(struct text setting, struct text name)
{
    return text_starts(setting, name) && setting.len > name.len && setting.at[name.len] == '=';
}

bool replace_setting(struct sealed *s, struct text name, struct text value)
{
    uint32_t i = 0;
    while (i < s->setting_count && !begins_with_name(text_of(s->environment + s->settings[i]), name))
        i++;
    if (i < s->setting_count) {
        struct text now = text_of(s->environment + s->settings[i]);
        if (text_equal((struct text){now.at + name.len + 1, now.len - name.len - 1}, value))
            return true;
    }
    uint16_t at = i < MAX_SETTINGS ? append_setting(s, TEXT(""), name, value) : 0;
    if (!at)
        return false;
    s->settings[i] = at;
    s->setting_count += i == s->setting_count;
    return true;
}
