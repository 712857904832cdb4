/* A strict reader of JSON (RFC 8259) and UTF-8, written apart from the writer that it judges. */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include "fuzz.h"

struct json {
    const uint8_t *at, *end;
    uint32_t depth;
};

/* The code point at `at`, or -1: decoded, and compared with the shortest form that it could have. */
static inline int32_t utf8_next(struct json *j)
{
    static const struct {
        uint8_t mask, lead, more;
        int32_t least;
    } forms[] = {{0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t first = *j->at;
        if ((first & forms[i].mask) != forms[i].lead)
            continue;
        if (j->end - j->at <= forms[i].more)
            return -1;
        int32_t value = first & (uint8_t)~forms[i].mask;
        for (uint32_t k = 1; k <= forms[i].more; k++) {
            if ((j->at[k] & 0xc0) != 0x80)
                return -1;
            value = value << 6 | (j->at[k] & 0x3f);
        }
        if (value < forms[i].least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
            return -1;
        j->at += 1 + forms[i].more;
        return value;
    }
    return -1;
}

static inline bool utf8_valid(const void *text, size_t n)
{
    struct json j = {text, (const uint8_t *)text + n, 0};
    while (j.at < j.end)
        if (utf8_next(&j) < 0)
            return false;
    return true;
}

static inline bool json_take(struct json *j, char c)
{
    if (j->at == j->end || *j->at != (uint8_t)c)
        return false;
    j->at++;
    return true;
}

static inline bool json_string(struct json *j)
{
    if (!json_take(j, '"'))
        return false;
    while (j->at < j->end) {
        if (json_take(j, '"'))
            return true;
        if (json_take(j, '\\')) {
            if (j->at == j->end || !strchr("\"\\/bfnrtu", *j->at) || !*j->at)
                return false;
            if (*j->at++ != 'u')
                continue;
            for (uint32_t i = 0; i < 4; i++, j->at++)
                if (j->at == j->end || !*j->at || !strchr("0123456789abcdefABCDEF", *j->at))
                    return false;
            continue;
        }
        if (utf8_next(j) < 0x20)
            return false;
    }
    return false;
}

static inline bool json_value(struct json *j);

/* Members or elements between two brackets. */
static inline bool json_list(struct json *j, char close, bool keys)
{
    if (json_take(j, close))
        return true;
    do {
        if (keys && !(json_string(j) && json_take(j, ':')))
            return false;
        if (!json_value(j))
            return false;
    } while (json_take(j, ','));
    return json_take(j, close);
}

static inline bool json_word(struct json *j, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n))
        return false;
    j->at += n;
    return true;
}

/* The writer writes whole numbers only. */
static inline bool json_number(struct json *j)
{
    const uint8_t *start = j->at;
    while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
        j->at++;
    return j->at > start && (*start != '0' || j->at == start + 1);
}

static inline bool json_value(struct json *j)
{
    bool well;
    if (++j->depth > 16)
        return false;
    if (json_take(j, '{'))
        well = json_list(j, '}', true);
    else if (json_take(j, '['))
        well = json_list(j, ']', false);
    else if (j->at < j->end && *j->at == '"')
        well = json_string(j);
    else
        well = json_word(j, "true") || json_word(j, "false") || json_number(j);
    j->depth--;
    return well;
}

/* One value, without any blank around or inside. */
static inline bool json_valid(const void *text, size_t n)
{
    struct json j = {text, (const uint8_t *)text + n, 0};
    return json_value(&j) && j.at == j.end;
}

#endif
