/* Text without libc; see text.h. Tests: tests/unit/core/test_text.py, tests/lab/proofs/number.c. */
#include "text.h"

int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct text text_of(const char *terminated)
{
    uint32_t len = 0;
    if (terminated)
        while (terminated[len] && len < UINT32_MAX)
            len++;
    return (struct text){terminated, len};
}

bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && same_bytes(a.at, b.at, a.len);
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (to_lower(a.at[i]) != to_lower(b.at[i]))
            return false;
    return true;
}

bool text_starts(struct text a, struct text prefix)
{
    return a.len >= prefix.len && same_bytes(a.at, prefix.at, prefix.len);
}

bool text_starts_any(struct text a, const char *prefixes, uint32_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (text_starts(a, text_of(prefixes + i * size)))
            return true;
    return false;
}

bool text_ends(struct text a, struct text suffix)
{
    return a.len >= suffix.len && same_bytes(a.at + (a.len - suffix.len), suffix.at, suffix.len);
}

bool text_strip_end(struct text *t, struct text suffix)
{
    if (!text_ends(*t, suffix))
        return false;
    t->len -= suffix.len;
    return true;
}

struct text text_trim(struct text a)
{
    while (a.len && (a.at[0] == ' ' || a.at[0] == '\t')) {
        a.at++;
        a.len--;
    }
    while (a.len && (a.at[a.len - 1] == ' ' || a.at[a.len - 1] == '\t'))
        a.len--;
    return a;
}

bool text_next(struct text *rest, char separator, struct text *piece)
{
    /* A null `at` marks the end, as an empty last piece ("a,") counts too. */
    *piece = TEXT("");
    if (!rest->at)
        return false;
    uint32_t at = text_find(*rest, separator);
    *piece = text_head(*rest, at);
    *rest = at < rest->len ? text_behind(*rest, at + 1) : (struct text){NULL, 0};
    return true;
}

uint32_t text_find(struct text t, char c)
{
    uint32_t at = 0;
    while (at < t.len && t.at[at] != c)
        at++;
    return at;
}

bool text_lists(struct text list, struct text entry)
{
    struct text one;
    while (list.len && text_next(&list, ',', &one))
        if (text_equal(one, entry))
            return true;
    return false;
}

bool text_number(struct text a, uint32_t max, uint32_t *value)
{
    uint64_t n = 0;
    if (!a.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++) {
        if (!is_digit(a.at[i]))
            return false;
        n = n * 10 + (uint64_t)(a.at[i] - '0');
        if (n > max)
            return false;
    }
    *value = (uint32_t)n;
    return true;
}

void copy_bytes(void *to, const void *from, size_t n)
{
    if (n)
        __builtin_memcpy(to, from, n);
}

void fill_bytes(void *to, uint8_t byte, size_t n)
{
    if (n)
        __builtin_memset(to, byte, n);
}

bool same_bytes(const void *a, const void *b, size_t n)
{
    return !n || !__builtin_memcmp(a, b, n);
}

struct text base_name(struct text path)
{
    uint32_t i = path.len;
    while (i > 0 && path.at[i - 1] != '/')
        i--;
    return (struct text){path.at + i, path.len - i};
}

void put(struct writer *w, struct text t)
{
    uint32_t room = w->cap - w->used;
    uint32_t n = t.len < room ? t.len : room;
    copy_bytes(w->at + w->used, t.at, n);
    w->used += n;
    if (n < t.len)
        w->full = true;
}

void put_words(struct writer *w, const char *words)
{
    while (words && *words)
        put_char(w, *words++);
}

void put_char(struct writer *w, char c)
{
    if (w->used < w->cap)
        w->at[w->used++] = c;
    else
        w->full = true;
}

void put_code_point(struct writer *w, uint32_t c)
{
    uint32_t bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    if (w->cap - w->used < bytes) {
        w->full = true;
        return;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t bits = c >> 6 * (bytes - 1 - i);
        put_char(w, (char)(i ? 0x80 | (bits & 63) : first[bytes] | bits));
    }
}

void put_number(struct writer *w, uint64_t n)
{
    char digits[20];
    uint32_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    put(w, (struct text){digits + at, (uint32_t)sizeof digits - at});
}

/* The length of the valid UTF-8 sequence at the start of `t`, or 0 (Unicode 15, table 3-7). */
static uint32_t utf8_length(const uint8_t *t, uint32_t len)
{
    uint8_t first = t[0], low = 0x80, high = 0xbf;
    uint32_t n;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf) {
        n = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        n = 3;
        if (first == 0xe0)
            low = 0xa0; /* overlong */
        else if (first == 0xed)
            high = 0x9f; /* surrogates */
    } else if (first >= 0xf0 && first <= 0xf4) {
        n = 4;
        if (first == 0xf0)
            low = 0x90; /* overlong */
        else if (first == 0xf4)
            high = 0x8f; /* beyond U+10FFFF */
    } else {
        return 0;
    }
    if (len < n || t[1] < low || t[1] > high)
        return 0;
    for (uint32_t i = 2; i < n; i++)
        if (t[i] < 0x80 || t[i] > 0xbf)
            return 0;
    return n;
}

/* The JSON spelling of the character at the start of `t`; `*taken` is its number of bytes in `t`. */
static struct text json_character(struct text t, char scratch[6], uint32_t *taken)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t c = (uint8_t)t.at[0];
    *taken = 1;
    switch (c) {
    case '"': return TEXT("\\\"");
    case '\\': return TEXT("\\\\");
    case '\n': return TEXT("\\n");
    case '\r': return TEXT("\\r");
    case '\t': return TEXT("\\t");
    default: break;
    }
    if (c < 0x20 || c == 0x7f) {
        copy_bytes(scratch, "\\u00", 4);
        scratch[4] = hex[c >> 4];
        scratch[5] = hex[c & 15];
        return (struct text){scratch, 6};
    }
    uint32_t n = utf8_length((const uint8_t *)t.at, t.len);
    if (!n)
        return TEXT("\xef\xbf\xbd");
    *taken = n;
    return (struct text){t.at, n};
}

/* The number of characters at the start of `t`, at most `most`, that JSON spells as they are. */
static uint32_t plain_length(struct text t, uint32_t most)
{
    uint32_t n = 0;
    for (; n < t.len && n < most; n++) {
        uint8_t c = (uint8_t)t.at[n];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            break;
    }
    return n;
}

bool put_json(struct writer *w, struct text t, uint32_t limit)
{
    char scratch[6];
    uint32_t spent = 0;
    while (t.len) {
        uint32_t taken, room = w->cap - w->used, left = limit - spent;
        uint32_t plain = plain_length(t, room < left ? room : left);
        if (plain) {
            put(w, text_head(t, plain));
            spent += plain;
            t = text_behind(t, plain);
            continue;
        }
        struct text piece = json_character(t, scratch, &taken);
        if (piece.len > left)
            return false;
        if (piece.len > room) {
            w->full = true; /* so that no shorter text follows the cut one */
            return false;
        }
        put(w, piece);
        spent += piece.len;
        t = text_behind(t, taken);
    }
    return true;
}

void put_json_string(struct writer *w, struct text t)
{
    put_char(w, '"');
    put_json(w, t, UINT32_MAX);
    put_char(w, '"');
}
