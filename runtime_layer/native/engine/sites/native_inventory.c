/* Reports the foreign-function bridges and the native code that the function has mapped. An inventory for people: no verdict
 * depends on it. Tests: tests/integration/engine/test_native_code.py. */
#include "../../core/native_code.h"
#include "../../core/object_names.h"
#include "../../core/package_roots.h"
#include "../base/memory_reader.h"
#include "../base/procfs.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/syscall_policy.h"
#include "../report/alerts.h"
#include "loaded_objects.h"

enum { BRIDGES_ROOM = 256, OBJECTS_ROOM = 2560 };

struct inventory {
    struct memory_reader reader;
    struct text runtime_prefix;
    uint64_t first_ino, first_low; /* the last file whose beginning was mapped */
    uint64_t seen;                 /* the last file: the mappings of a file follow each other */
    struct writer bridges, objects;
    uint32_t count; /* the function's own objects */
    char text[BRIDGES_ROOM + OBJECTS_ROOM];
};
_Static_assert(sizeof(struct inventory) <= sizeof((struct scratch *)0)->link, "it fits");

/* Adds `"name"`, after a comma if it is not the first. Skips names that are in the list, and names without room. */
static void add_name(struct writer *list, struct text name)
{
    struct writer before = *list;
    if (list->used)
        put_char(list, ',');
    uint32_t from = list->used;
    put_char(list, '"');
    put_json(list, name, ALERT_TEXT_MAX);
    put_char(list, '"');
    uint32_t len = list->used - from;
    bool is_known = false;
    for (uint32_t i = 0; !list->full && !is_known && i + len < from; i++)
        is_known = same_bytes(list->at + i, list->at + from, len);
    if (is_known || list->full)
        *list = before;
}

/* Adds bridges by their exports, as a copy may have another name. */
static bool add_exported_bridges(struct inventory *v, const struct mapping *m)
{
    struct exports exports;
    if (!exports_of(&v->reader, v->first_ino == m->ino ? v->first_low : m->low, &exports))
        return false;
    for (uint32_t i = 0; i < BRIDGE_SYMBOLS; i++)
        if (exported_symbol(&v->reader, &exports, bridges[i].symbol))
            add_name(&v->bridges, text_of(bridges[i].name));
    return true;
}

/* Whether it is memory that a JIT maps twice, to write to it and to run it, which looks like a file. */
static bool is_memory(struct text path)
{
    static const char kinds[][10] = {"/memfd:", "/dev/zero", "/SYSV"};
    return STARTS_ANY(path, kinds);
}

/* Adds bridges of the platform by their names, as in "_ctypes.cpython-312-x86_64-linux-gnu.so". */
static void add_named_bridge(struct inventory *v, struct text file_name)
{
    for (uint32_t i = 0; i < BRIDGE_SYMBOLS; i++) {
        struct text symbol = text_of(bridges[i].symbol), start = TEXT("PyInit_");
        if (text_starts(symbol, start) &&
            text_equal(object_name(file_name), (struct text){symbol.at + start.len, symbol.len - start.len}))
            add_name(&v->bridges, text_of(bridges[i].name));
    }
}

/* Adds bridges that are refused by name, where an entry admitted one. */
static void add_refused_bridge(struct inventory *v, struct text path)
{
    struct text name = refused_bridge(path, false);
    if (name.len)
        add_name(&v->bridges, name);
}

static bool add_object(void *context, const struct mapping *m)
{
    struct inventory *v = context;
    if (!m->path.len || m->path.at[0] != '/')
        return false;
    if (!m->offset && v->first_ino != m->ino) {
        v->first_ino = m->ino;
        v->first_low = m->low;
    }
    if (!m->executable || m->ino == v->seen)
        return false;
    v->seen = m->ino;
    struct text path = m->path;
    text_strip_end(&path, TEXT(" (deleted)"));
    struct text name = base_name(path);
    if (text_equal(name, TEXT("libshield.so")) || is_of_runtime_client(name))
        return false;
    if (is_of_platform(path, v->runtime_prefix)) {
        add_named_bridge(v, name);
        return false;
    }
    if (!add_exported_bridges(v, m) && is_memory(path))
        return false;
    add_refused_bridge(v, path);
    struct text package = package_of(path, kept_text(sealed->process.task_root));
    add_name(&v->objects, package.len ? package : path);
    v->count++;
    return false;
}

void report_native_code(void)
{
    struct scratch *scratch = reports_anything(&sealed->policy) ? scratch_take() : NULL;
    if (!scratch)
        return;
    struct inventory *v = (struct inventory *)scratch->link;
    reader_begin(&v->reader, !is_single_threaded());
    v->runtime_prefix = find_runtime_prefix(scratch->path, sizeof scratch->path);
    v->first_ino = v->seen = v->count = 0;
    v->bridges = (struct writer){v->text, 0, BRIDGES_ROOM, false};
    v->objects = (struct writer){v->text + BRIDGES_ROOM, 0, OBJECTS_ROOM, false};
    each_mapping(scratch->line, sizeof scratch->line, add_object, v);
    reader_end(&v->reader);
    struct native_code found = {.bridges = {v->bridges.at, v->bridges.used},
                                .objects = {v->objects.at, v->objects.used},
                                .count = v->count};
    if (found.bridges.len || found.count)
        report_native(&found, scratch->line);
    scratch_give(scratch);
}
