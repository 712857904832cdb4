/* Tests: tests/integration/engine/test_callers.py. */
#include "python_runtime.h"

#include "../base/exported_symbol.h"
#include "../base/proc_maps.h"

static bool read_layout(struct python_search *s, const struct exports *e)
{
    struct python *p = &s->python;
    uint64_t version = 0, at = exported_symbol(s->reader, e, "Py_Version");
    if (!at || !reader_read(s->reader, &version, at, sizeof version))
        return false;
    return python_layout_of((uint32_t)(version >> 16), &p->layout) ||
           (reader_read(s->reader, s->words, p->runtime, sizeof s->words) &&
            python_layout_from(s->words, &p->layout));
}

/* Searches one object: the interpreter is a library, or a part of the program. */
static bool find_in_object(void *context, const struct mapping *m)
{
    struct python_search *s = context;
    struct exports e;
    struct text name = base_name(m->path);
    bool may_be = text_starts(name, TEXT("libpython3.")) || text_starts(name, TEXT("python"));
    if (!may_be || m->offset || !exports_of(s->reader, m->low, &e))
        return false;
    struct python *p = &s->python;
    p->runtime = exported_symbol(s->reader, &e, "_PyRuntime");
    p->code_type = exported_symbol(s->reader, &e, "PyCode_Type");
    p->str_type = exported_symbol(s->reader, &e, "PyUnicode_Type");
    p->bytes_type = exported_symbol(s->reader, &e, "PyBytes_Type");
    p->is_there = p->runtime && p->code_type && p->str_type && p->bytes_type && read_layout(s, &e);
    return p->is_there;
}

const struct python *find_python(struct memory_reader *r, char *buffer, uint32_t cap,
                                 struct python_search *own)
{
    enum { UNKNOWN, BEING_KEPT, KEPT };
    static struct python
        kept; /* the thread that changes the state from UNKNOWN writes it, then the state (release) */
    static uint32_t state;
    const struct python *found = &kept;
    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != KEPT) {
        uint32_t unknown = UNKNOWN;
        own->reader = r;
        own->python = (struct python){0};
        bool is_certain = each_mapping(buffer, cap, find_in_object, own) || own->python.is_there;
        found = &own->python;
        if (is_certain && __atomic_compare_exchange_n(&state, &unknown, BEING_KEPT, false, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED)) {
            kept = own->python;
            __atomic_store_n(&state, KEPT, __ATOMIC_RELEASE);
        }
    }
    return found->is_there ? found : NULL;
}
