/* Reads the variable _X_AMZN_TRACE_ID. Tests: tests/integration/engine/test_lines.py. */
#include "../base/memory_reader.h"
#include "../base/procfs.h"
#include "../state/process_state.h"
#include "caller.h"

enum { NOWHERE = 1 /* no address */, ROOM = 256 * 8 /* pointers to variables */ };
_Static_assert(ROOM <= ALERT_MAX, "the pointers have room");
static const char variable[] = "_X_AMZN_TRACE_ID=Root=";

struct environ_search {
    struct memory_reader *reader;
    uint64_t at;
};

/* Finds `environ` of the program or else of libc: libc itself uses the one at the lowest address (environ(7)). */
static bool find_environ(void *context, const struct mapping *m)
{
    struct environ_search *s = context;
    struct exports e;
    if (!m->offset && m->path.len && m->path.at[0] == '/' && exports_of(s->reader, m->low, &e))
        s->at = exported_symbol(s->reader, &e, "environ");
    return s->at;
}

static bool read_id(struct memory_reader *r, uint64_t string, char id[TRACE_ID_MAX])
{
    char text[sizeof variable - 1 + TRACE_ID_MAX];
    if (!reader_copy(r, text, string, sizeof text) || !same_bytes(text, variable, sizeof variable - 1))
        return false;
    for (uint32_t i = 0; i < TRACE_ID_MAX; i++) {
        char c = id[i] = text[sizeof variable - 1 + i];
        if (!(c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static uint64_t pointer_at(const char *room, uint32_t index)
{
    uint64_t pointer;
    copy_bytes(&pointer, room + index * sizeof pointer, sizeof pointer);
    return pointer;
}

/* Reads the pointers, and returns the number of variables. */
static uint32_t read_pointers(struct memory_reader *r, uint64_t environ, char room[ROOM])
{
    uint32_t used = 0;
    while (used < ROOM && environ % sizeof environ == 0) {
        uint32_t page_left = PAGE - (environ + used) % PAGE,
                 n = ROOM - used < page_left ? ROOM - used : page_left;
        if (!reader_copy(r, room + used, environ + used, n))
            break;
        for (uint32_t end = used + n; used < end; used += sizeof environ)
            if (!pointer_at(room, used / sizeof environ))
                return used / sizeof environ;
    }
    return used / sizeof environ;
}

/* Searches from the end, as setenv(3) appends. If the variable is missing, the next search waits until the variables change. */
static bool find_variable(struct memory_reader *r, uint64_t environ, char room[ROOM], char id[TRACE_ID_MAX])
{
    static uint64_t without; /* any thread: a lost or old value costs one search, so relaxed */
    uint64_t hash = environ;
    uint32_t count = read_pointers(r, environ, room);
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ pointer_at(room, i)) * UINT64_C(0x9e3779b97f4a7c15);
    if (hash == __atomic_load_n(&without, __ATOMIC_RELAXED))
        return false;
    for (uint32_t i = count; i--;)
        if (read_id(r, pointer_at(room, i), id))
            return true;
    __atomic_store_n(&without, hash, __ATOMIC_RELAXED);
    return false;
}

struct text find_trace_id(char id[TRACE_ID_MAX], char room[ALERT_MAX])
{
    static uint64_t kept; /* each thread would write the same address, so relaxed */
    struct memory_reader r;
    reader_begin(&r, !is_single_threaded());
    struct environ_search s = {&r, __atomic_load_n(&kept, __ATOMIC_RELAXED)};
    if (!s.at) {
        each_mapping(room, ALERT_MAX, find_environ, &s);
        __atomic_store_n(&kept, s.at ? s.at : NOWHERE, __ATOMIC_RELAXED);
    }
    uint64_t environ = 0;
    bool found =
        reader_copy(&r, &environ, s.at, sizeof environ) && environ && find_variable(&r, environ, room, id);
    reader_end(&r);
    return found ? (struct text){id, TRACE_ID_MAX} : TEXT("");
}
