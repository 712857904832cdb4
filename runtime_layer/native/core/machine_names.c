/* Compares names with those of the machine; see machine_names.h. Tests: tests/unit/core/test_machine_names.py. */
#include "machine_names.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool next_word(struct text *rest, struct text *word)
{
    uint32_t begin = 0;
    while (begin < rest->len && is_blank(rest->at[begin]))
        begin++;
    uint32_t end = begin;
    while (end < rest->len && !is_blank(rest->at[end]))
        end++;
    *word = (struct text){rest->at + begin, end - begin};
    *rest = (struct text){rest->at + end, rest->len - end};
    return word->len;
}

bool is_machine_name(struct text name, struct text host, struct text domains)
{
    struct text domain;
    if (text_equal(name, TEXT("localhost")) || (host.len && text_equal_nocase(name, host)))
        return true;
    if (!host.len || name.len <= host.len + 1 || name.at[host.len] != '.' ||
        !text_equal_nocase((struct text){name.at, host.len}, host))
        return false;
    struct text behind = {name.at + host.len + 1, name.len - host.len - 1};
    while (next_word(&domains, &domain)) {
        if (domain.at[domain.len - 1] == '.')
            domain.len--;
        if (domain.len && text_equal_nocase(behind, domain))
            return true;
    }
    return false;
}

/* Four numbers, the last byte first. */
static bool read_reverse_v4(struct text labels, struct address *out)
{
    struct text label;
    uint32_t number;
    *out = (struct address){.family = FAMILY_V4};
    for (uint32_t i = 4; i-- > 0;) {
        if (!labels.len || !text_next(&labels, '.', &label) || label.len > 3 ||
            (label.len > 1 && label.at[0] == '0') || !text_number(label, 255, &number))
            return false;
        out->bytes[i] = (uint8_t)number;
    }
    return !labels.len;
}

/* 32 digits, the last half of a byte first. */
static bool read_reverse_v6(struct text labels, struct address *out)
{
    enum { DIGITS = 32 };
    if (labels.len != 2 * DIGITS - 1)
        return false;
    *out = (struct address){.family = FAMILY_V6};
    for (uint32_t i = 0; i < DIGITS; i++) {
        int32_t digit = hex_digit(labels.at[2 * i]);
        uint32_t at = DIGITS - 1 - i;
        if (digit < 0 || (i + 1 < DIGITS && labels.at[2 * i + 1] != '.'))
            return false;
        out->bytes[at / 2] |= (uint8_t)(at % 2 ? digit : digit << 4);
    }
    return true;
}

bool read_reverse_name(struct text name, struct address *out)
{
    if (text_strip_end(&name, TEXT(".in-addr.arpa")))
        return read_reverse_v4(name, out);
    return text_strip_end(&name, TEXT(".ip6.arpa")) && read_reverse_v6(name, out);
}
