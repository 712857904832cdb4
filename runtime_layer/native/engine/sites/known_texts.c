#include "known_texts.h"

#include "../../core/text.h"

/* A site is three numbers: its distance from the one before, how it is patched, and its own plus one. Seven bits a byte, the
 * low ones first, and the eighth for more to come. */
struct known_text {
    uint64_t offset, size, hash;
    struct text sites;
};

#define KNOWN_TEXT(name, offset, size, hash, sites) {offset, size, hash, TEXT(sites)},
static const struct known_text texts[] = {
/* tests/harness/c/list_sites.c looks at files of either. */
#if defined(LOOKS_AT_AARCH64) || (defined(__aarch64__) && !defined(LOOKS_AT_X86_64))
#include "aarch64/known_texts_table.h"
#else
#include "x86_64/known_texts_table.h"
#endif
    {0}, /* so that there is always one */
};
enum { TEXTS = sizeof texts / sizeof *texts - 1, WINDOW_BITS = 5, KIND_BITS = 2 };

/* Each step gives another result for another word, so a text that differs in one word has another hash (but
 * not always one that somebody chose several words of). */
static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    const uint64_t odd = 0x9e3779b97f4a7c15;
    hash ^= word;
    return (hash << 29 | hash >> 35) * odd;
}

/* Four chains, each in a register: every step waits for the one before it. Nobody has read these pages yet, and processors look
 * ahead no further than to the end of one (to read ahead never fails). */
static uint64_t hash_text(const uint8_t *text, uint64_t size)
{
    enum { LANES = 4, AHEAD = 2048 };
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (uint64_t at = 0; at < size; at += LANES * sizeof(uint64_t)) {
        uint64_t words[LANES];
        __builtin_prefetch(text + at + AHEAD);
        __builtin_memcpy(words, text + at, sizeof words);
        a = mix(a, words[0]);
        b = mix(b, words[1]);
        c = mix(c, words[2]);
        d = mix(d, words[3]);
    }
    return mix(mix(mix(mix(size, a), b), c), d);
}

static uint32_t read_number(struct text *from)
{
    uint32_t value = 0;
    for (uint32_t shift = 0; from->len && shift < 28; shift += 7) {
        uint8_t byte = (uint8_t)*from->at++;
        from->len--;
        value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return value;
}

bool find_sites_of_known_text(const uint8_t *text, uint64_t size, uint64_t offset,
                              void (*each)(void *context, const struct site *site), void *context)
{
    uint32_t i = 0;
    uint64_t hash = 0;
    for (; i < TEXTS; i++) {
        if (texts[i].offset != offset || texts[i].size != size)
            continue;
        hash = hash ? hash : hash_text(text, size);
        if (texts[i].hash == hash)
            break;
    }
    if (i == TEXTS)
        return false;
    struct site site = {.offset = offset};
    for (struct text left = texts[i].sites; left.len;) {
        site.offset += read_number(&left);
        uint32_t how = read_number(&left);
        site.window = how & ((1 << WINDOW_BITS) - 1);
        site.kind = how >> WINDOW_BITS & ((1 << KIND_BITS) - 1);
        site.behind = (uint8_t)(how >> WINDOW_BITS >> KIND_BITS);
        site.number = (int32_t)read_number(&left) - 1;
        each(context, &site);
    }
    return true;
}
