/* Tests: tests/lab/fuzz/known.c. */
#include "site_cache.h"

/* "<dev>.<ino>.<size>.<mtime>.<offset>:<sites>;" where a site is four characters of six bits: eighteen for the distance from
 * the previous site, six for its window. A window of FARTHER only adds distance; with a window of MOVED, the eighteen are
 * `behind` of the next site. */
enum {
    FIRST = '?',
    BITS = 6,
    CHARACTERS = 4,
    DISTANCE_MAX = (1 << 18) - 1,
    MOVED = 62,
    FARTHER = 63,
    SMALLEST = 4
};

static void put_key(struct writer *w, const struct object_key *key)
{
    const uint64_t parts[] = {key->dev, key->ino, key->size, key->mtime, key->offset};
    for (uint32_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i)
            put_char(w, '.');
        put_number(w, parts[i]);
    }
}

static void put_entry(struct writer *w, uint32_t distance, uint32_t window)
{
    uint32_t value = distance << BITS | window;
    for (uint32_t i = 0; i < CHARACTERS; i++)
        put_char(w, (char)(FIRST + (value >> (BITS * i) & ((1 << BITS) - 1))));
}

void known_sites_write(struct writer *w, const struct object_key *key, const struct site *sites,
                       uint32_t count)
{
    uint64_t last = key->offset;
    put_key(w, key);
    put_char(w, ':');
    for (uint32_t i = 0; i < count; i++) {
        uint64_t distance = sites[i].offset - last;
        for (; distance > DISTANCE_MAX; distance -= DISTANCE_MAX)
            put_entry(w, DISTANCE_MAX, FARTHER);
        if (sites[i].behind)
            put_entry(w, sites[i].behind, MOVED);
        put_entry(w, (uint32_t)distance, sites[i].window);
        last = sites[i].offset;
    }
    put_char(w, ';');
}

static int32_t read_entries(struct text entries, uint64_t at, struct site *sites)
{
    uint32_t count = 0, behind = 0;
    if (entries.len % CHARACTERS)
        return -1;
    for (uint32_t i = 0; i < entries.len; i += CHARACTERS) {
        uint32_t value = 0;
        for (uint32_t k = 0; k < CHARACTERS; k++) {
            uint8_t digit = (uint8_t)(entries.at[i + k] - FIRST);
            if (digit >> BITS)
                return -1;
            value |= (uint32_t)digit << (BITS * k);
        }
        uint8_t window = value & ((1 << BITS) - 1);
        if (window == MOVED) {
            behind = value >> BITS;
            continue;
        }
        at += value >> BITS;
        if (window == FARTHER)
            continue;
        if (count == KNOWN_MAX || window + behind > WINDOW_MAX || window + behind < SMALLEST || behind == 1)
            return -1;
        sites[count++] = (struct site){at, -1, SITE_PATCHABLE, window, (uint8_t)behind};
        behind = 0;
    }
    return count ? (int32_t)count : -1; /* libc and the loader always have some */
}

int32_t known_sites_read(struct text known, const struct object_key *key, struct site *sites)
{
    char buffer[128];
    struct writer w = {buffer, 0, sizeof buffer, false};
    put_key(&w, key);
    struct text wanted = {buffer, w.used}, object, found;
    while (known.len && text_next(&known, ';', &object))
        if (text_next(&object, ':', &found) && text_equal(found, wanted))
            return read_entries(object, key->offset, sites);
    return -1;
}
