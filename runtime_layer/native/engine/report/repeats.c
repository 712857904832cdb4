/* Tests: tests/unit/core/engine_race.c. */
#include "repeats.h"

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
    put(&w, kept->len ? TEXT(",\"") : TEXT("\""));
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
        put(w, TEXT(",\"entries\":["));
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
