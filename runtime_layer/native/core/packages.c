/* Reads and matches the packages of an entry; see packages.h.
 * Tests: tests/unit/core/test_settings.py, tests/lab/fuzz/entry.c. */
#include "packages.h"

/* As text_next, with a word as the separator. */
static bool next_at(struct text *rest, struct text word, struct text *piece)
{
    *piece = *rest;
    for (uint32_t i = 0; i + word.len <= rest->len; i++) {
        struct text behind = {rest->at + i, rest->len - i};
        if (!text_starts(behind, word))
            continue;
        piece->len = i;
        *rest = (struct text){behind.at + word.len, behind.len - word.len};
        return true;
    }
    *rest = (struct text){NULL, 0};
    return piece->at;
}

bool packages_cut(struct text *entry, struct text *packages)
{
    struct text host;
    *packages = *entry;
    next_at(packages, TEXT(" by "), &host);
    *entry = text_trim(host);
    return packages->at;
}

/* A package of Python, or of npm, which may have a scope: @aws-sdk/client-s3 */
static bool is_package(struct text name)
{
    for (uint32_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_mark = c == '_' || c == '-' || c == '.' || c == '@' || c == '/';
        if (!is_letter(c) && !is_digit(c) && !is_mark)
            return false;
    }
    return name.len && name.len < ALERT_TEXT_MAX;
}

static bool refuse_package(struct text name, struct writer *error)
{
    put_words(error, "has \"");
    put_json(error, name, ALERT_TEXT_MAX);
    put_words(error, "\" behind by, which is no package; write names as caller.through has them, such as "
                     "\"by stripe\" or \"by requests>app or boto3\"");
    return false;
}

bool packages_canonical(struct text packages, struct writer *canonical, struct writer *error)
{
    struct text chain, name;
    for (uint32_t begin = canonical->used; next_at(&packages, TEXT(" or "), &chain);) {
        if (canonical->used != begin)
            put_words(canonical, " or ");
        for (uint32_t count = 0; text_next(&chain, '>', &name); count++) {
            name = text_trim(name);
            if (!is_package(name))
                return refuse_package(name, error);
            if (count == ALERT_PACKAGES) {
                put_words(error, "has a chain of more than six packages, and no line tells more; shorten it");
                return false;
            }
            if (count)
                put_char(canonical, '>');
            put(canonical, name);
        }
        if (canonical->used - begin > PACKAGES_LONGEST || canonical->full) {
            put_words(error, "names packages in more than 400 characters; write two entries for the host");
            return false;
        }
    }
    return true;
}

static bool has_chain_at(const struct source_place *place, uint32_t at, struct text chain)
{
    struct text name;
    while (text_next(&chain, '>', &name))
        if (at == place->package_count || !text_equal(place->packages[at++], name))
            return false;
    return true;
}

bool packages_name(struct text packages, const struct source_place *place)
{
    struct text chain;
    while (next_at(&packages, TEXT(" or "), &chain))
        for (uint32_t at = 0; at < place->package_count; at++)
            if (has_chain_at(place, at, chain))
                return true;
    return false;
}
