#include "caller.h"

#include "../base/proc_maps.h"

/* On aarch64 the return address of a leaf function is in x30, which the trampoline has pushed (gate/aarch64/gate.S). */
#if defined(__aarch64__)
enum { PUSHED = 8 };
#else
enum { PUSHED = 0 };
#endif

/* Words of the stack that are searched for an alert and for a verdict: libc's mmap and mprotect keep few words below their
 * return address, and words above it may be left from earlier calls. */
enum { CALLER_WORDS = 384, ASKER_WORDS = 64 };

struct search {
    bool (*is_passed)(const struct mapping *m); /* mappings to skip; NULL: none */
    const uint64_t *words;
    uint32_t best; /* the lowest index of a word that points into an object that is not skipped */
    char *name;
    uint32_t name_len;
};

static bool is_libc(const struct mapping *m)
{
    static const char *const names[] = {"libc.so", "libc-2", "libc.musl", "ld-", "libpthread", "libshield"};
    return STARTS_ANY(base_name(m->path), names);
}

static bool is_passed_by_all(const struct mapping *m)
{
    static const char *const names[] = {"libresolv", "libnss_", "libanl", "libffi", "shielded_function.node"};
    return m->path.len == 0 || m->path.at[0] != '/' || is_libc(m) || STARTS_ANY(base_name(m->path), names);
}

static bool match_words(void *context, const struct mapping *m)
{
    struct search *s = context;
    if (!m->executable || (s->is_passed && s->is_passed(m)))
        return false;
    struct text name = base_name(m->path);
    for (uint32_t i = 0; i < s->best; i++)
        if (s->words[i] >= m->low && s->words[i] < m->high) {
            s->best = i;
            s->name_len = name.len < CALLER_OBJECT_MAX ? name.len : CALLER_OBJECT_MAX;
            copy_bytes(s->name, name.at, s->name_len);
            break;
        }
    return false;
}

static struct text find_return(const struct call *call, struct scratch *scratch, uint32_t words_max,
                               bool (*is_passed)(const struct mapping *m))
{
    uint64_t *words = (uint64_t *)scratch->path;
    uint32_t count = 1;
    words[0] = call->site; /* an object with system-call instructions is its own caller */
    uint64_t at = (call->stack - PUSHED + 7) & ~7ull;
    for (; count < words_max && count < sizeof scratch->path / 8; count++, at += 8) {
        if ((count == 1 || (at & (PAGE - 1)) == 0) && !readable(at))
            break;
        words[count] = *(const volatile uint64_t *)at;
    }
    struct search s = {is_passed, words, count, scratch->link, 0};
    each_mapping(scratch->line, sizeof scratch->line, match_words, &s);
    return (struct text){s.name, s.name_len};
}

struct text caller_object(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, CALLER_WORDS, is_passed_by_all);
}

struct text call_maker(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, 1, NULL);
}

struct text memory_asker(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, ASKER_WORDS, is_libc);
}
