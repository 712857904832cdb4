#include "trace_id.h"

#include "../base/exported_symbol.h"
#include "../base/proc_maps.h"
#include "../state/process_state.h"

enum { VARIABLES_MAX = 1024, NOWHERE = 1 /* no address */ };
static const char variable[] = "_X_AMZN_TRACE_ID=Root=";

struct environ_search {
    struct memory_reader *reader;
    uint64_t at;
};

/* Of the program or else of libc: the first in order of addresses is the one that libc itself uses (environ(7)). */
static bool look(void *context, const struct mapping *m)
{
    struct environ_search *s = context;
    struct exports e;
    if (!m->offset && m->path.len && m->path.at[0] == '/' && exports_of(s->reader, m->low, &e))
        s->at = exported_symbol(s->reader, &e, "environ");
    return s->at;
}

static bool is_trace_id(struct text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        if (!(c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool read_id(struct memory_reader *r, uint64_t string, char id[TRACE_ID_MAX])
{
    char text[sizeof variable - 1 + TRACE_ID_MAX];
    if (!reader_copy(r, text, string, sizeof text) || !same_bytes(text, variable, sizeof variable - 1))
        return false;
    copy_bytes(id, text + sizeof variable - 1, TRACE_ID_MAX);
    return is_trace_id((struct text){id, TRACE_ID_MAX});
}

/* First where it was the last time. */
static bool find_variable(struct memory_reader *r, uint64_t environ, char id[TRACE_ID_MAX])
{
    static uint32_t last;
    for (uint32_t i = 0; i <= VARIABLES_MAX; i++) {
        uint32_t index = i ? i - 1 : __atomic_load_n(&last, __ATOMIC_RELAXED);
        uint64_t string = 0;
        if (!reader_copy(r, &string, environ + 8ull * index, sizeof string) || (i && !string))
            return false;
        if (string && read_id(r, string, id)) {
            __atomic_store_n(&last, index, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

struct text find_trace_id(char id[TRACE_ID_MAX], char *line, uint32_t cap)
{
    static uint64_t kept;
    struct memory_reader r;
    reader_begin(&r, !is_single_threaded());
    struct environ_search s = {&r, __atomic_load_n(&kept, __ATOMIC_RELAXED)};
    if (!s.at) {
        each_mapping(line, cap, look, &s);
        __atomic_store_n(&kept, s.at ? s.at : NOWHERE, __ATOMIC_RELAXED);
    }
    uint64_t environ = 0;
    bool found = reader_copy(&r, &environ, s.at, sizeof environ) && environ && find_variable(&r, environ, id);
    reader_end(&r);
    return found ? (struct text){id, TRACE_ID_MAX} : TEXT("");
}
