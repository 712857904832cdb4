#include "tmp_record_places.h"

/* A place's state. Any higher number is the hash of the path in it. */
enum { FREE, BEING_WRITTEN, HASHES };
enum { ATTEMPTS = 64 };

/* FNV-1a */
enum { HASH_BEGIN = 0x811c9dc5, HASH_PRIME = 0x01000193 };
static uint32_t hash_more(uint32_t hash, char c)
{
    return (hash ^ (uint8_t)c) * HASH_PRIME;
}

static uint32_t hash_end(uint32_t hash)
{
    return hash < HASHES ? hash + HASHES : hash;
}

static uint32_t hash_of(struct text path)
{
    uint32_t hash = HASH_BEGIN;
    for (uint32_t i = 0; i < path.len; i++)
        hash = hash_more(hash, path.at[i]);
    return hash_end(hash);
}

/* Its place; MADE_MAX: it is not on the record. `room`: the first place that could take it, or MADE_MAX. */
static uint32_t find_place(struct text path, uint32_t hash, uint32_t *room)
{
    struct tmp_record *record = sealed.record;
    uint32_t used = __atomic_load_n(&record->used, __ATOMIC_ACQUIRE);
    *room = MADE_MAX;
    for (uint32_t place = 0; place < used && place < MADE_MAX; place++) {
        uint32_t state = __atomic_load_n(&record->places[place], __ATOMIC_ACQUIRE);
        if (state == FREE && *room == MADE_MAX)
            *room = place;
        if (state == hash && text_equal(path, text_of(record->made[place].path)))
            return place;
    }
    if (*room == MADE_MAX && used < MADE_MAX)
        *room = used;
    return MADE_MAX;
}

static bool claim(uint32_t place, uint32_t seen)
{
    return __atomic_compare_exchange_n(&sealed.record->places[place], &seen, BEING_WRITTEN, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void set_state(uint32_t place, uint32_t state)
{
    __atomic_store_n(&sealed.record->places[place], state, __ATOMIC_RELEASE);
}

uint32_t claim_place_of(struct text path)
{
    uint32_t hash = hash_of(path), room, place = find_place(path, hash, &room);
    return place != MADE_MAX && claim(place, hash) ? place : MADE_MAX;
}

void set_place(uint32_t place)
{
    char *path = sealed.record->made[place].path;
    path[MADE_PATH - 1] = 0; /* a record that was left may hold anything */
    set_state(place, hash_of(text_of(path)));
}

/* A name can be a user's too: it does not stay readable. */
void free_place(uint32_t place)
{
    fill_bytes(&sealed.record->made[place], 0, sizeof sealed.record->made[place]);
    set_state(place, FREE);
}

enum turn claim_place(uint32_t place)
{
    const uint64_t millisecond[2] = {0, 1000000};
    const uint32_t *states = sealed.record->places;
    uint32_t state = __atomic_load_n(&states[place], __ATOMIC_ACQUIRE);
    if (state == BEING_WRITTEN) {
        KERNEL(nanosleep, millisecond, 0);
        state = __atomic_load_n(&states[place], __ATOMIC_ACQUIRE);
    }
    if (state == BEING_WRITTEN) { /* whoever wrote was killed */
        free_place(place);
        return TURN_LOST;
    }
    return state != FREE && claim(place, state) ? TURN_CLAIMED : TURN_EMPTY;
}

/* Before it is claimed, so that it is not looked for behind what counts. */
static void note_used(uint32_t place)
{
    uint32_t *used = &sealed.record->used, seen = __atomic_load_n(used, __ATOMIC_RELAXED);
    while (seen <= place &&
           !__atomic_compare_exchange_n(used, &seen, place + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
}

/* Others may take a place that was just found: it is looked for again. */
bool put_on_record(struct text path, const struct made *identity, bool is_expected)
{
    uint32_t hash = hash_of(path);
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        uint32_t room, place = find_place(path, hash, &room);
        bool is_known = place != MADE_MAX;
        if (!is_known)
            place = room;
        if (place == MADE_MAX || !reserve_page(place))
            return false;
        note_used(place);
        if (!claim(place, is_known ? hash : FREE))
            continue;
        struct made *made = &sealed.record->made[place];
        /* Of a name that is known, the old and the new are both the function's. */
        bool is_any = is_expected && is_known;
        made->ino = is_any ? 0 : identity->ino;
        made->born = is_any ? 0 : identity->born | (is_expected ? BORN_PENDING : 0);
        copy_bytes(made->path, path.at, path.len);
        made->path[path.len] = 0;
        set_state(place, hash);
        return true;
    }
    return false;
}

bool is_below_made(struct text path)
{
    uint32_t hash = HASH_BEGIN, room;
    for (uint32_t i = 0; i < path.len; i++) {
        if (path.at[i] == '/' && i > sizeof "/tmp" - 1 &&
            find_place((struct text){path.at, i}, hash_end(hash), &room) != MADE_MAX)
            return true;
        hash = hash_more(hash, path.at[i]);
    }
    return false;
}
