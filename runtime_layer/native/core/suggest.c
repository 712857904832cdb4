/* Finds the nearest known word; see suggest.h. Tests: tests/unit/core/test_settings.py. */
#include "suggest.h"

enum { WORD_MAX = 64 };

static uint32_t min_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time. Both words are at most WORD_MAX long. */
static uint32_t edit_distance(struct text a, struct text b)
{
    uint8_t row[WORD_MAX + 1];
    for (uint32_t j = 0; j <= b.len; j++)
        row[j] = (uint8_t)j;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t above = row[j];
            uint32_t replaced = diagonal + (a.at[i - 1] != b.at[j - 1]);
            row[j] = (uint8_t)min_of(replaced, min_of(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.len];
}

struct suggestion suggest_for(struct text wanted)
{
    return (struct suggestion){.wanted = wanted, .distance = UINT32_MAX};
}

void suggest_offer(struct suggestion *s, struct text word)
{
    uint32_t distance;
    if (s->wanted.len > WORD_MAX || word.len > WORD_MAX)
        return;
    distance = edit_distance(s->wanted, word);
    if (distance < s->distance && distance * 3 <= word.len) {
        s->distance = distance;
        s->best = word;
    }
}
