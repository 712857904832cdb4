/* Tests: tests/integration/engine/test_left_out.py, tests/unit/core/engine_race.c. */
#include "left_out.h"

#include "../state/process_state.h"

/* A word has two counts, reserved (high half) and unreserved (low half), which are capped. */
static uint32_t reserved_count(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static uint32_t capped_sum(uint32_t a, uint32_t b)
{
    return a + b < a ? UINT32_MAX : a + b;
}

static uint64_t *word_of(uint32_t policy, uint32_t kind)
{
    return &sealed->process.own->storm.left_out[policy][kind];
}

static bool exchange_word(uint64_t *word, uint64_t *seen, uint32_t reserved, uint32_t left)
{
    return __atomic_compare_exchange_n(word, seen, (uint64_t)reserved << 32 | left, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

void clear_left_out_reasons(void)
{
    forget_next_event(OF_ALERTS);
}

void leave_out(uint32_t policy, uint32_t kind, enum left_out how)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    while (!exchange_word(word, &seen, reserved_count(seen), capped_sum((uint32_t)seen, 1)))
        ;
    watch_next_event(how);
}

uint32_t reserve_left_out(uint32_t policy, uint32_t kind, uint32_t own, bool with_left_out)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t count;
    do
        count = capped_sum(with_left_out ? (uint32_t)seen : 0, own);
    while (!exchange_word(word, &seen, capped_sum(reserved_count(seen), count),
                          with_left_out ? 0 : (uint32_t)seen));
    return count;
}

uint32_t reserve_all_left_out(uint32_t policy, uint32_t kind)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t count;
    do
        count = capped_sum((uint32_t)seen, reserved_count(seen));
    while (!exchange_word(word, &seen, count, 0));
    return count;
}

/* A copy that a signal handler forks during a write has no reservation. */
void settle_left_out(uint32_t policy, uint32_t kind, uint32_t count, bool is_written)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t left, reserved;
    do {
        reserved = reserved_count(seen) > count ? reserved_count(seen) - count : 0;
        left = capped_sum((uint32_t)seen, is_written ? 0 : count);
    } while (!exchange_word(word, &seen, reserved, left));
    if (!is_written)
        watch_next_event(LEFT_OUT);
}

bool is_any_left_out(uint32_t policy, uint32_t kind)
{
    return (uint32_t)__atomic_load_n(word_of(policy, kind), __ATOMIC_SEQ_CST);
}

/* The bits of all words. */
static uint64_t all_words(void)
{
    uint64_t all = 0;
    for (uint32_t policy = 0; policy < POLICY_COUNT; policy++)
        for (uint32_t kind = 0; kind < LEFT_OUT_KINDS; kind++)
            all |= __atomic_load_n(word_of(policy, kind), __ATOMIC_SEQ_CST);
    return all;
}

bool has_unwritten_counts(void)
{
    return all_words();
}

bool is_any_reserved(void)
{
    return reserved_count(all_words());
}

/* Each process has another seed, so that code cannot prepare two violations with equal hashes. */
static uint64_t hash_more(uint64_t hash, struct text text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        hash = (hash ^ (uint8_t)text.at[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

struct reported hash_violation(const struct alert *alert, struct text target, struct text caller)
{
    const char kind[] = {(char)alert->policy, (char)alert->mode};
    uint64_t hash = hash_more(hash_more(sealed->process.seed, (struct text){kind, sizeof kind}), target);
    return (struct reported){(uint32_t)alert->seconds, hash, caller.len ? hash_more(hash, caller) : 0};
}

bool is_reported(const struct reported *violation, uint32_t policy, uint32_t lines)
{
    const struct reported *reported = sealed->process.own->storm.reported[policy];
    for (uint32_t i = 0; i < lines; i++) {
        if (__atomic_load_n(&reported[i].second, __ATOMIC_ACQUIRE) != violation->second)
            continue;
        uint64_t target = __atomic_load_n(&reported[i].target, __ATOMIC_ACQUIRE),
                 whole = __atomic_load_n(&reported[i].whole, __ATOMIC_ACQUIRE);
        if (target == violation->target && (!violation->whole || whole == violation->whole) &&
            __atomic_load_n(&reported[i].second, __ATOMIC_RELAXED) == violation->second)
            return true;
    }
    return false;
}

void record_reported(const struct reported *violation, uint32_t policy, uint32_t line)
{
    struct reported *reported = &sealed->process.own->storm.reported[policy][line];
    __atomic_store_n(&reported->second, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&reported->target, violation->target, __ATOMIC_RELEASE); /* not before the 0 */
    __atomic_store_n(&reported->whole, violation->whole, __ATOMIC_RELEASE);
    __atomic_store_n(&reported->second, violation->second, __ATOMIC_RELEASE);
}

/* Does not wait, as a signal may have interrupted the owner in this thread. A lost target loses no count. */
static struct left_target *claim_target(uint32_t policy, uint32_t kind)
{
    struct left_target *target = &sealed->process.own->storm.targets[policy][kind];
    return __atomic_exchange_n(&target->is_busy, 1, __ATOMIC_ACQUIRE) ? NULL : target;
}

static void release_target(struct left_target *target)
{
    __atomic_store_n(&target->is_busy, 0, __ATOMIC_RELEASE);
}

/* Each once; a text in quotes holds none unescaped, so that it is found only as a whole. */
static void keep_entry(struct left_entries *kept, struct text entry)
{
    struct writer w = {kept->text, kept->len, LEFT_ENTRIES_MAX, false};
    put_words(&w, kept->len ? ",\"" : "\"");
    bool is_whole = put_json(&w, entry, LEFT_ENTRIES_MAX);
    put_char(&w, '"');
    uint32_t start = kept->len ? kept->len + 1 : 0;
    if (!entry.len || !is_whole || w.full)
        return;
    struct text added = {kept->text + start, w.used - start};
    for (uint32_t i = 0; i + added.len < start; i++)
        if (text_equal((struct text){kept->text + i, added.len}, added))
            return;
    kept->len = w.used;
}

void keep_target(uint32_t policy, uint32_t kind, struct text text, struct text entry)
{
    struct left_target *target = text.len <= TARGET_MAX ? claim_target(policy, kind) : NULL;
    if (!target)
        return;
    copy_bytes(target->text, text.at, text.len);
    target->len = text.len;
    if (kind < REPEATED)
        keep_entry(&sealed->process.own->storm.entries[policy][kind], entry);
    release_target(target);
}

void put_target(struct writer *w, uint32_t policy, uint32_t kind)
{
    struct left_target *target = claim_target(policy, kind);
    if (!target)
        return;
    if (target->len)
        put_char(w, ',');
    put(w, (struct text){target->text, target->len});
    const struct left_entries *kept = &sealed->process.own->storm.entries[policy][kind % ALERT_MODES];
    if (kind < REPEATED && kept->len) {
        put_words(w, ",\"entries\":[");
        put(w, (struct text){kept->text, kept->len});
        put_char(w, ']');
    }
    release_target(target);
}

void forget_target(uint32_t policy, uint32_t kind)
{
    struct left_target *target = claim_target(policy, kind);
    if (!target)
        return;
    target->len = 0;
    if (kind < REPEATED)
        sealed->process.own->storm.entries[policy][kind].len = 0;
    release_target(target);
}
