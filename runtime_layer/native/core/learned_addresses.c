/* The table of learned addresses; see learned_addresses.h.
 *
 * A sequence number guards each slot (a seqlock whose readers never wait): a writer makes the number odd, and a reader that
 * keeps seeing an odd or changing number skips the slot. A writer that dies half way, or that fork copies half way, costs
 * only its slot. An entry that is learned again, as by threads that resolve the same host, is not rewritten, so it stays
 * readable.
 * Tests: tests/unit/core/test_names.py, tests/lab/fuzz/names.c. */
#include "learned_addresses.h"

/* A slot is read and written by whole words: a read during a write gives old or new words. */
typedef uint32_t __attribute__((may_alias)) slot_word;
enum { SLOT_WORDS = sizeof(struct learned_address) / sizeof(slot_word) };
_Static_assert(sizeof(struct learned_address) % sizeof(slot_word) == 0, "a slot is whole words");
_Static_assert(offsetof(struct learned_address, sequence) == 0, "the sequence is the first word");
enum { SETS_BITS = 9 };
_Static_assert(NAMES_SETS == 1 << SETS_BITS, "a set is known by the highest bits of a hash");
_Static_assert(NAME_KEPT <= UINT8_MAX, "name_len is one byte");

/* FNV-1a, by words. The last byte of an address is the highest of a little-endian word, so neighbours get different sets. */
static uint32_t set_of(const struct address *ip)
{
    uint32_t hash = 2166136261u ^ ip->family, words[4];
    copy_bytes(words, ip->bytes, sizeof words);
    for (uint32_t i = 0; i < 4; i++)
        hash = (hash ^ words[i]) * 16777619u;
    return hash >> (32 - SETS_BITS);
}

/* Copies a slot. False: it is empty, or a thread was writing it. */
static bool read_slot(const struct learned_address *slot, struct learned_address *copy)
{
    const slot_word *from = (const slot_word *)slot;
    slot_word *to = (slot_word *)copy;
    uint32_t before = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    if (before & 1)
        return false;
    for (uint32_t i = 1; i < SLOT_WORDS; i++)
        to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) != before)
        return false;
    copy->sequence = before;
    return copy->age && copy->name_len <= NAME_KEPT;
}

/* The same, with retries: a writer takes some nanoseconds, unless it was interrupted. */
static bool read_slot_soon(const struct learned_address *slot, struct learned_address *copy)
{
    enum { TRIES = 64 };
    bool is_read = false;
    for (uint32_t tries = 0; tries < TRIES && !is_read; tries++)
        is_read = read_slot(slot, copy);
    return is_read;
}

/* Compares a slot's address without the sequence, as most differ; read_slot or write_slot confirms it. */
static bool may_have_address(const struct learned_address *slot, const struct address *ip)
{
    enum {
        FIRST = offsetof(struct learned_address, ip) / sizeof(slot_word),
        END = offsetof(struct learned_address, name_len)
    };
    struct learned_address copy;
    for (uint32_t i = FIRST; i < (END + sizeof(slot_word) - 1) / sizeof(slot_word); i++)
        ((slot_word *)&copy)[i] = __atomic_load_n((const slot_word *)slot + i, __ATOMIC_RELAXED);
    return address_equal(&copy.ip, ip);
}

/* False when another writer holds the slot, or changed it since `seen`. */
static bool write_slot(struct learned_address *slot, uint32_t seen, const struct learned_address *value)
{
    const slot_word *from = (const slot_word *)value;
    slot_word *to = (slot_word *)slot;
    if (!__atomic_compare_exchange_n(&slot->sequence, &seen, seen + 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return false;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    for (uint32_t i = 1; i < SLOT_WORDS; i++)
        __atomic_store_n(to + i, from[i], __ATOMIC_RELAXED);
    __atomic_store_n(&slot->sequence, seen + 2, __ATOMIC_RELEASE);
    return true;
}

/* A slot that had no writer when it was read. */
struct candidate {
    struct learned_address *slot;
    uint32_t sequence, idle;
};

static void keep_idlest(struct candidate *best, const struct candidate *other)
{
    if (!best->slot || other->idle > best->idle)
        *best = *other;
}

/* The slot to write: where two slots have this address and rule, the older of them; else an empty one, or the oldest of the
 * others. `slot` is NULL where all have writers. */
static struct candidate choose_slot(struct learned_address *set, const struct learned_address *value)
{
    struct candidate same = {0}, other = {0};
    uint32_t same_count = 0;
    for (uint32_t way = 0; way < NAMES_WAYS; way++) {
        struct candidate c = {.slot = &set[way]};
        c.sequence = __atomic_load_n(&set[way].sequence, __ATOMIC_ACQUIRE);
        uint32_t age = __atomic_load_n(&set[way].age, __ATOMIC_RELAXED);
        if (c.sequence & 1)
            continue;
        /* The clock may have wrapped, and another thread's age may be newer. An empty slot counts as the idlest. */
        int32_t distance = (int32_t)(value->age - age);
        c.idle = !age ? UINT32_MAX : distance > 0 ? (uint32_t)distance : 0;
        bool is_same = age && may_have_address(&set[way], &value->ip) &&
                       __atomic_load_n(&set[way].rule, __ATOMIC_RELAXED) == value->rule;
        same_count += is_same;
        keep_idlest(is_same ? &same : &other, &c);
    }
    return same_count > 1 ? same : other;
}

/* Renews the age of a slot that holds this value already. */
static bool renew_slot(struct learned_address *slot, const struct learned_address *value)
{
    struct learned_address copy;
    if (!read_slot(slot, &copy) || !address_equal(&copy.ip, &value->ip) || copy.rule != value->rule ||
        copy.name_len != value->name_len || !same_bytes(copy.name, value->name, value->name_len))
        return false;
    __atomic_store_n(&slot->age, value->age, __ATOMIC_RELAXED);
    return true;
}

static struct learned_address *renew_entry(struct learned_address *set, const struct learned_address *value)
{
    for (uint32_t way = 0; way < NAMES_WAYS; way++)
        if (may_have_address(&set[way], &value->ip) && renew_slot(&set[way], value))
            return &set[way];
    return NULL;
}

/* Records each slot once, so that a frequent answer does not push out the others. */
static void record_recent(struct names *n, const struct learned_address *slot)
{
    uint16_t number = (uint16_t)(slot - n->slots[0] + 1);
    for (uint32_t i = 0; i < NAMES_RECENT; i++)
        if (__atomic_load_n(&n->recent[i], __ATOMIC_RELAXED) == number)
            return;
    uint32_t place = __atomic_fetch_add(&n->noted, 1, __ATOMIC_RELAXED) % NAMES_RECENT;
    __atomic_store_n(&n->recent[place], number, __ATOMIC_RELAXED);
}

void names_learn(struct names *n, const struct address *ip, uint16_t rule, struct text name)
{
    struct learned_address value = {.ip = *ip, .rule = rule};
    struct learned_address *set = n->slots[set_of(ip)];
    uint32_t kept = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    if (ip->family == FAMILY_NONE)
        return;
    value.name_len = (uint8_t)kept;
    copy_bytes(value.name, name.at + (name.len - kept), kept);
    while (!value.age) /* 0 means empty: skipped where the clock wraps */
        value.age = __atomic_add_fetch(&n->clock, 1, __ATOMIC_RELAXED);
    /* Losing a slot to another writer is rare, so the number of tries is small. */
    struct learned_address *slot = renew_entry(set, &value);
    for (uint32_t tries = 0; tries < 4 * NAMES_WAYS && !slot; tries++) {
        struct candidate chosen = choose_slot(set, &value);
        bool is_written = chosen.slot && write_slot(chosen.slot, chosen.sequence, &value);
        slot = is_written ? chosen.slot : renew_entry(set, &value);
    }
    if (slot && rule != RULE_NONE)
        record_recent(n, slot);
}

/* Whether the name holds no character that would end an entry or an environment variable. */
static bool is_plain_name(struct text name)
{
    for (uint32_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 127 || name.at[i] == ',' || name.at[i] == '/')
            return false;
    return name.len > 0;
}

void names_write_recent(const struct names *n, struct writer *w)
{
    uint32_t oldest =
        __atomic_load_n(&n->noted, __ATOMIC_RELAXED); /* as the reader learns them in this order */
    for (uint32_t i = 0, start = w->used; i < NAMES_RECENT; i++) {
        uint16_t number = __atomic_load_n(&n->recent[(oldest + i) % NAMES_RECENT], __ATOMIC_RELAXED);
        struct learned_address copy;
        uint32_t slot = number ? number - 1u : 0;
        if (!number || !read_slot(&n->slots[slot / NAMES_WAYS][slot % NAMES_WAYS], &copy) ||
            !is_plain_name((struct text){copy.name, copy.name_len}))
            continue;
        if (w->used != start)
            put_char(w, ',');
        put_number(w, copy.rule);
        put_char(w, '/');
        address_write(&copy.ip, w);
        put_char(w, '/');
        put(w, (struct text){copy.name, copy.name_len});
    }
}

void names_learn_written(struct names *n, struct text written, uint16_t rules)
{
    struct text entry, rule, address;
    while (written.len && text_next(&written, ',', &entry)) {
        uint32_t number;
        struct address ip;
        bool is_entry = text_next(&entry, '/', &rule) && text_next(&entry, '/', &address) &&
                        text_number(rule, RULE_AWS, &number) && address_parse(address, &ip) &&
                        is_plain_name(entry);
        if (is_entry && (number < rules || number == RULE_AWS))
            names_learn(n, &ip, (uint16_t)number, entry);
    }
}

/* The newest slot of this address, among the ways still `open`; NAMES_WAYS: none. */
static uint32_t find_newest(const struct learned_address *set, uint32_t open, const struct address *ip)
{
    uint32_t best = NAMES_WAYS, best_age = 0;
    for (uint32_t way = 0; way < NAMES_WAYS; way++) {
        uint32_t age = __atomic_load_n(&set[way].age, __ATOMIC_RELAXED);
        bool is_newer = best == NAMES_WAYS || (int32_t)(age - best_age) > 0; /* the clock may have wrapped */
        if (is_newer && open >> way & 1 && may_have_address(&set[way], ip)) {
            best = way;
            best_age = age;
        }
    }
    return best;
}

bool names_find(const struct names *n, const struct address *ip,
                bool (*each)(void *context, uint16_t rule, struct text name), void *context)
{
    const struct learned_address *set = n->slots[set_of(ip)];
    uint32_t open = (1u << NAMES_WAYS) - 1;
    for (uint32_t way; (way = find_newest(set, open, ip)) < NAMES_WAYS; open &= ~(1u << way)) {
        struct learned_address copy;
        if (read_slot_soon(&set[way], &copy) && address_equal(&copy.ip, ip) &&
            each(context, copy.rule, (struct text){copy.name, copy.name_len}))
            return true;
    }
    return false;
}
