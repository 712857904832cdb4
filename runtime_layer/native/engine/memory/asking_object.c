#include "asking_object.h"

#include "../../core/object_names.h"
#include "../base/proc_maps.h"
#include "../base/user_memory.h"

/* What a libc's mmap and mprotect keep on the stack in front of where they return to is a few words. */
enum { WORDS = 64 };

/* On aarch64 a function that calls no other leaves where it returns to in x30: the trampoline has pushed that last
 * (gate/aarch64/gate.S). */
#if defined(__aarch64__)
enum { PUSHED = 8 };
#else
enum { PUSHED = 0 };
#endif

struct search {
    const uint64_t *words;
    uint32_t best; /* the first word that points into an object's code */
    char *out;
    struct text name;
};

static bool is_libc(struct text file)
{
    static const char *const names[] = {"libc.so", "libc-2",     "libc.musl",
                                        "ld-",     "libpthread", "libshield.so"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(file, text_of(names[i])))
            return true;
    return false;
}

static bool look(void *context, const struct mapping *m)
{
    struct search *s = context;
    struct text file = base_name(m->path);
    if (!m->executable || is_libc(file))
        return false;
    for (uint32_t i = 0; i < s->best; i++) {
        if (s->words[i] < m->low || s->words[i] >= m->high)
            continue;
        struct writer w = {s->out, 0, OBJECT_NAME_MAX, false};
        put_object_entry(&w, file);
        s->best = i;
        s->name = (struct text){s->out, w.used};
    }
    return false;
}

struct text asking_object(const struct call *call, char out[OBJECT_NAME_MAX])
{
    uint64_t words[WORDS] = {call->site}; /* who makes its own system calls asks for itself */
    uint32_t count = 1;
    for (uint64_t at = call->stack - PUSHED; count < WORDS && read_user(&words[count], at, 8); at += 8)
        count++;
    struct search s = {words, count, out, {out, 0}};
    struct scratch *scratch = scratch_take();
    if (scratch) {
        each_mapping(scratch->line, sizeof scratch->line, look, &s);
        scratch_give(scratch);
    }
    return s.name;
}
