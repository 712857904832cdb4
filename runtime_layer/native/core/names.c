/* The table of learnt addresses; see names.h.
 *
 * Each slot is guarded by its own sequence number (a seqlock whose readers never wait): a writer takes a slot
 * by making the number odd, and a reader that goes on seeing an odd or a changed number passes the slot over. A
 * writer that dies half way, or is copied half way by fork, costs its one slot and nothing else. What is learnt once
 * more, as by threads that ask for the same host, is not written again: it can be read all the while.
 */
#include "names.h"

/* A slot is read and written by whole words: what is read in between is stale, never undefined. */
typedef uint32_t __attribute__((may_alias)) slot_word;
enum { SLOT_WORDS = sizeof(struct learnt) / sizeof(slot_word) };
_Static_assert(sizeof(struct learnt) % sizeof(slot_word) == 0, "a slot is whole words");
_Static_assert(offsetof(struct learnt, sequence) == 0, "the sequence is the first word");
_Static_assert(NAMES_SETS == 1 << 8, "a set is known by the highest byte of a hash");
_Static_assert(NAME_KEPT <= UINT8_MAX, "name_len is one byte");

/* FNV-1a, by words. The last byte of an address is the highest of a little-endian word: of neighbours, no two get the
 * same highest byte. */
static uint32_t set_of(const struct address *ip)
{
    uint32_t hash = 2166136261u ^ ip->family, words[4];
    copy_bytes(words, ip->bytes, sizeof words);
    for (uint32_t i = 0; i < 4; i++)
        hash = (hash ^ words[i]) * 16777619u;
    return hash >> 24;
}

/* Copies a slot that nobody was writing meanwhile. */
static bool read_slot(const struct learnt *slot, struct learnt *copy)
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

/* The same, of a slot that somebody may just be writing: who does takes some nanoseconds, or was stopped in the midst. */
static bool read_slot_soon(const struct learnt *slot, struct learnt *copy)
{
    enum { LOOKS = 64 };
    bool well = false;
    for (uint32_t looks = 0; looks < LOOKS && !well; looks++)
        well = read_slot(slot, copy);
    return well;
}

/* A first look at what a slot is about, for read_slot or write_slot to confirm: most are about something else. */
static bool seems_about(const struct learnt *slot, const struct address *ip)
{
    enum { FIRST = offsetof(struct learnt, ip) / sizeof(slot_word), END = offsetof(struct learnt, name_len) };
    struct learnt copy;
    for (uint32_t i = FIRST; i < (END + sizeof(slot_word) - 1) / sizeof(slot_word); i++)
        ((slot_word *)&copy)[i] = __atomic_load_n((const slot_word *)slot + i, __ATOMIC_RELAXED);
    return address_equal(&copy.ip, ip);
}

/* False when another writer holds the slot, or changed it since it was looked at. */
static bool write_slot(struct learnt *slot, uint32_t seen, const struct learnt *value)
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

/* The slot to write: the one that has this address by this rule, else an empty one, else the oldest. */
static struct learnt *choose_slot(struct learnt *set, const struct learnt *value, uint32_t *sequence)
{
    struct learnt *best = NULL;
    uint32_t best_idle = 0;
    for (uint32_t way = 0; way < NAMES_WAYS; way++) {
        uint32_t before = __atomic_load_n(&set[way].sequence, __ATOMIC_ACQUIRE);
        uint32_t age = __atomic_load_n(&set[way].age, __ATOMIC_RELAXED);
        if (before & 1)
            continue;
        if (age && seems_about(&set[way], &value->ip) &&
            __atomic_load_n(&set[way].rule, __ATOMIC_RELAXED) == value->rule) {
            *sequence = before;
            return &set[way];
        }
        /* The distance on the clock, which may have wrapped; an empty one is idle for ever. */
        uint32_t idle = age ? value->age - age : UINT32_MAX;
        if (!best || idle > best_idle) {
            best = &set[way];
            best_idle = idle;
            *sequence = before;
        }
    }
    return best;
}

/* Does the slot say this already? Then it is as new as what was learnt now. */
static bool renew_slot(struct learnt *slot, const struct learnt *value)
{
    struct learnt copy;
    if (!read_slot(slot, &copy) || !address_equal(&copy.ip, &value->ip) || copy.rule != value->rule ||
        copy.name_len != value->name_len || !same_bytes(copy.name, value->name, value->name_len))
        return false;
    __atomic_store_n(&slot->age, value->age, __ATOMIC_RELAXED);
    return true;
}

void names_learn(struct names *n, const struct address *ip, uint16_t rule, struct text name)
{
    struct learnt value = {.ip = *ip, .rule = rule};
    struct learnt *set = n->slots[set_of(ip)];
    uint32_t kept = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    if (ip->family == FAMILY_NONE)
        return;
    value.name_len = (uint8_t)kept;
    copy_bytes(value.name, name.at + (name.len - kept), kept);
    value.age = __atomic_add_fetch(&n->clock, 1, __ATOMIC_RELAXED);
    if (!value.age) /* the clock went round; 0 means empty */
        value.age = 1;
    /* Losing a slot to another writer is rare; so many losses in a row are not worth a longer wait. */
    for (uint32_t tries = 0; tries < 4 * NAMES_WAYS; tries++) {
        uint32_t sequence;
        struct learnt *slot = choose_slot(set, &value, &sequence);
        if (slot && (renew_slot(slot, &value) || write_slot(slot, sequence, &value)))
            return;
    }
}

bool names_find(const struct names *n, const struct address *ip,
                bool (*each)(void *context, uint16_t rule, struct text name), void *context)
{
    const struct learnt *set = n->slots[set_of(ip)];
    for (uint32_t way = 0; way < NAMES_WAYS; way++) {
        struct learnt copy;
        if (seems_about(&set[way], ip) && read_slot_soon(&set[way], &copy) && address_equal(&copy.ip, ip) &&
            each(context, copy.rule, (struct text){copy.name, copy.name_len}))
            return true;
    }
    return false;
}
