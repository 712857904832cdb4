/* The table of learned addresses against a list of all that was learned. Input: where the clock stands, then one
 * step after another: an address, a rule, a name. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/learned_addresses.h"

enum { STEPS = 256 };

struct fact {
    struct address ip;
    uint16_t rule;
    struct text name;
};

static struct fact facts[STEPS];
static uint32_t count;

/* What the table has of a name: its end. */
static struct text kept(struct text name)
{
    uint32_t len = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    return (struct text){name.at + (name.len - len), len};
}

static bool same_key(const struct fact *a, const struct fact *b)
{
    return a->rule == b->rule && address_equal(&a->ip, &b->ip);
}

/* The last thing learned for an address by a rule, or, of another name, the last before that. */
static const struct fact *latest(const struct fact *key, const struct fact *but)
{
    for (uint32_t i = count; i-- > 0;)
        if (same_key(&facts[i], key) && !(but && text_equal(kept(but->name), kept(facts[i].name))))
            return &facts[i];
    return NULL;
}

struct search {
    struct fact key;
    bool found;
};

static bool is_true(void *context, uint16_t rule, struct text name)
{
    struct search *s = context;
    const struct fact key = {.ip = s->key.ip, .rule = rule}, *last = latest(&key, NULL);
    CHECK(last);
    bool is_last = text_equal(name, kept(last->name));
    const struct fact *before = latest(&key, last);
    CHECK(is_last || (before && text_equal(name, kept(before->name))));
    s->found |= is_last && rule == s->key.rule;
    return false;
}

static bool holds(const struct names *n, const struct fact *fact)
{
    struct search s = {*fact, false};
    CHECK(!names_find(n, &fact->ip, is_true, &s));
    return s.found;
}

/* So few cannot have been evicted by each other: each may have two places, and what has one only does not give it up, so that
 * the last but one of a set may have to go. */
enum { SURE = NAMES_WAYS / 2 - 1 };
static void newest_are_there(const struct names *n)
{
    uint32_t distinct = 0;
    for (uint32_t i = count; i-- > 0 && distinct < SURE;)
        if (latest(&facts[i], NULL) == &facts[i]) {
            CHECK(holds(n, &facts[i]));
            distinct++;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct names table;
    struct input in = {data, size};
    memset(&table, 0, sizeof table);
    table.clock = (uint32_t)(int32_t)(int8_t)take_number(&in, 1); /* near its wrap, or at its start */
    count = 0;
    while (in.left && count < STEPS) {
        struct fact fact = {.ip = {.family = (uint8_t)(1 + take_number(&in, 1) % 2)}};
        fact.ip.bytes[0] = (uint8_t)take_number(&in, 1);
        fact.ip.bytes[3] = (uint8_t)take_number(&in, 1) % 8;
        fact.rule = (uint16_t)take_number(&in, 1) % 4;
        fact.name = take_text(&in, take_number(&in, 1));
        facts[count++] = fact;
        names_learn(&table, &fact.ip, fact.rule, fact.name);
        newest_are_there(&table);
    }
    for (uint32_t i = 0; i < count; i++)
        holds(&table, &facts[i]);
    return 0;
}
