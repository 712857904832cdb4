/* Host names that carry data; see data_in_names.h for the measure. */
#include "data_in_names.h"

enum {
    LABELS_LONGEST = 63,
    WORD_LONGEST = 31,
    MIXED_WORD = 24,
    MIXED_CHANGES = 6,
    SCRAMBLED_CHANGES = 2, /* v2, use1 and shard0 have one */
    SCRAMBLED_SUM = 40,
};

struct word {
    uint32_t len, changes;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_data(struct word w)
{
    return w.len > WORD_LONGEST || (w.len >= MIXED_WORD && w.changes >= MIXED_CHANGES);
}

/* Takes the word at the beginning of `*rest` and what ends it; any byte but the three belongs to a word. */
static struct word take_word(struct text *rest)
{
    struct word w = {0};
    while (w.len < rest->len) {
        char c = rest->at[w.len];
        if (c == '.' || c == '-' || c == '_')
            break;
        w.changes += w.len && is_digit(c) != is_digit(rest->at[w.len - 1]);
        w.len++;
    }
    uint32_t taken = w.len < rest->len ? w.len + 1 : w.len;
    *rest = (struct text){rest->at + taken, rest->len - taken};
    return w;
}

bool words_look_like_data(struct text name)
{
    uint32_t scrambled = 0;
    while (name.len) {
        struct word w = take_word(&name);
        if (is_data(w))
            return true;
        if (w.changes >= SCRAMBLED_CHANGES)
            scrambled += w.len;
    }
    return scrambled >= SCRAMBLED_SUM;
}

bool labels_look_like_data(struct text labels)
{
    return labels.len > LABELS_LONGEST || words_look_like_data(labels);
}
