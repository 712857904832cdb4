/* Text without libc: borrowed pieces of it, and a writer that cannot overrun.
 *
 * All of core/ builds freestanding for every platform that runs `cdk synth`, and runs inside the gate, where there is no
 * libc, no allocation and little stack.
 */
#ifndef SHIELD_TEXT_H
#define SHIELD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed piece of text: not terminated, owned by its maker. */
struct text {
    const char *at;
    uint32_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* A bounded output. Writing past the end sets `full` and drops the rest. */
struct writer {
    char *at;
    uint32_t used;
    uint32_t cap;
    bool full;
};

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static inline char to_lower(char c)
{
    return is_letter(c) ? (char)(c | 0x20) : c;
}

/* The value of a hexadecimal digit, or -1. */
int hex_digit(char c);

/* The first bytes of a text, and those behind them; `n` is at most its length. */
static inline struct text text_head(struct text t, uint32_t n)
{
    return (struct text){t.at, n};
}

static inline struct text text_behind(struct text t, uint32_t n)
{
    return (struct text){t.at + n, t.len - n};
}

struct text text_of(const char *terminated);
bool text_equal(struct text a, struct text b);
bool text_equal_nocase(struct text a, struct text b); /* ASCII only, as host names are */
bool text_starts(struct text a, struct text prefix);
/* Whether it starts with one of the prefixes. */
bool text_starts_any(struct text a, const char *prefixes, uint32_t size, uint32_t count);
/* `list`: char[][N], as each pointer in a table would cost 32 bytes and a relocation by the loader. */
#define STARTS_ANY(text, list) text_starts_any(text, *(list), sizeof *(list), sizeof(list) / sizeof *(list))
bool text_ends(struct text a, struct text suffix);
/* Removes the suffix. False: the text does not end with it. */
bool text_strip_end(struct text *t, struct text suffix);
struct text text_trim(struct text a);    /* ASCII spaces and tabs at both ends */
struct text base_name(struct text path); /* the part behind the last slash */
/* Cuts `*rest` at the first `separator`: `*piece` is the part before it, `*rest` the part behind. False, and
 * an empty `*piece`, when an earlier call exhausted `*rest`. */
bool text_next(struct text *rest, char separator, struct text *piece);
/* The place of the first `c`; the text's length where there is none. */
uint32_t text_find(struct text t, char c);
/* Whether the entry stands in a list with commas; an empty list has none. */
bool text_lists(struct text list, struct text entry);
/* Decimal, no sign, no blanks, at most `max`. */
bool text_number(struct text a, uint32_t max, uint32_t *value);

void copy_bytes(void *to, const void *from, size_t n);
void fill_bytes(void *to, uint8_t byte, size_t n);
bool same_bytes(const void *a, const void *b, size_t n);

void put(struct writer *w, struct text t);
/* The same for a terminated text. */
void put_words(struct writer *w, const char *words);
void put_char(struct writer *w, char c);
/* Writes a character as UTF-8: whole, or not at all. */
void put_code_point(struct writer *w, uint32_t c);
void put_number(struct writer *w, uint64_t n);
/* Writes the body of a JSON string (without the quotes): escapes controls, quotes and backslashes, and replaces invalid UTF-8
 * by U+FFFD, so that any bytes give valid JSON. Stops at a whole character before `limit` output bytes. Returns false if
 * the text was cut. */
bool put_json(struct writer *w, struct text t, uint32_t limit);
void put_json_string(struct writer *w, struct text t); /* the whole, with its quotes */

#endif
