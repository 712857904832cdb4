#include "caller.h"

#include "../base/proc_maps.h"

enum { WORDS = 384 };

struct search {
    const uint64_t *words;
    uint32_t count;
    uint32_t best; /* the lowest index of a word that points into a candidate */
    char *name;
    uint32_t name_len;
};

/* The libraries that everything passes through, and the engine itself. */
static bool is_plumbing(struct text name)
{
    static const char *const prefixes[] = {
        "libc.so",   "libc-2",  "libc.musl", "ld-",    "libpthread", "libpthread-",
        "libresolv", "libnss_", "libshield", "libanl", "libffi",     "shielded_function.node"};
    for (uint32_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text_starts(name, text_of(prefixes[i])))
            return true;
    return false;
}

static bool look(void *context, const struct mapping *m)
{
    struct search *s = context;
    if (!m->executable || m->path.len == 0 || m->path.at[0] != '/')
        return false;
    struct text name = base_name(m->path);
    if (is_plumbing(name))
        return false;
    for (uint32_t i = 0; i < s->best; i++)
        if (s->words[i] >= m->low && s->words[i] < m->high) {
            s->best = i;
            s->name_len = name.len < CALLER_OBJECT_MAX ? name.len : CALLER_OBJECT_MAX;
            copy_bytes(s->name, name.at, s->name_len);
            break;
        }
    return false;
}

struct text caller_object(const struct call *call, struct scratch *scratch)
{
    uint64_t *words = (uint64_t *)scratch->path;
    uint32_t count = 1;
    words[0] = call->site; /* an object that makes its own system calls is its own caller */
    uint64_t at = (call->stack + 7) & ~7ull;
    for (; count < WORDS && count < sizeof scratch->path / 8; count++, at += 8) {
        if ((count == 1 || (at & (PAGE - 1)) == 0) && !readable(at))
            break;
        words[count] = *(const volatile uint64_t *)at;
    }
    struct search s = {words, count, count, scratch->link, 0};
    each_mapping(scratch->line, sizeof scratch->line, look, &s);
    return (struct text){s.name, s.name_len};
}
