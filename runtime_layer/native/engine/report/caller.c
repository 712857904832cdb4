/* No unwinding: a stale word on the stack can name another object. Tests: tests/integration/engine/test_executable_memory.py. */
#include "caller.h"

#include "../base/procfs.h"

/* On aarch64 the return address of a leaf function is in x30, which the trampoline has pushed (gate/aarch64/gate.S). */
#if defined(__aarch64__)
enum { PUSHED = 8 };
#else
enum { PUSHED = 0 };
#endif

/* Words of the stack that are searched for an alert, for a look-up and for a verdict: libc's mmap and mprotect keep few words
 * below their return address, and words above it may be left from earlier calls. */
enum { CALLER_WORDS = 384, LOOKUP_WORDS = 2048, REQUESTER_WORDS = 64 };

struct search {
    bool (*is_skipped)(const struct mapping *m); /* mappings to skip; NULL: none */
    bool (*is_wanted)(uint64_t word);            /* NULL: each */
    const uint64_t *words;
    uint32_t best; /* the lowest index of a word that points into an object that is not skipped */
    char *name;
    uint32_t name_len;
};

static bool is_libc(const struct mapping *m)
{
    static const char names[][11] = {"libc.so", "libc-2", "libc.musl", "ld-", "libpthread", "libshield"};
    return STARTS_ANY(base_name(m->path), names);
}

static bool is_skipped_always(const struct mapping *m)
{
    static const char names[][23] = {"libresolv", "libnss_", "libanl", "libffi", "shielded_function.node"};
    return m->path.len == 0 || m->path.at[0] != '/' || is_libc(m) || STARTS_ANY(base_name(m->path), names);
}

static bool match_words(void *context, const struct mapping *m)
{
    struct search *s = context;
    if (!m->executable || (s->is_skipped && s->is_skipped(m)))
        return false;
    struct text name = base_name(m->path);
    for (uint32_t i = 0; i < s->best; i++)
        if (s->words[i] >= m->low && s->words[i] < m->high && (!s->is_wanted || s->is_wanted(s->words[i]))) {
            s->best = i;
            s->name_len = name.len < CALLER_OBJECT_MAX ? name.len : CALLER_OBJECT_MAX;
            copy_bytes(s->name, name.at, s->name_len);
            break;
        }
    return false;
}

static struct text find_object(const uint64_t *words, uint32_t count, struct scratch *scratch,
                               bool (*is_skipped)(const struct mapping *m), bool (*is_wanted)(uint64_t word))
{
    struct search s = {is_skipped, is_wanted, words, count, scratch->link, 0};
    each_mapping(scratch->line, sizeof scratch->line, match_words, &s);
    return (struct text){s.name, s.name_len};
}

static struct text find_return(const struct call *call, struct scratch *scratch, uint32_t words_max,
                               bool (*is_skipped)(const struct mapping *m))
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
    return find_object(words, count, scratch, is_skipped, NULL);
}

struct text caller_object(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, CALLER_WORDS, is_skipped_always);
}

/* libc's resolver, as the loader binds it; NULL: there is none. */
#define RESOLVER extern const char __attribute__((weak, visibility("default")))
RESOLVER getaddrinfo[], getnameinfo[], gethostbyname[], gethostbyname_r[], gethostbyaddr_r[];

static bool is_resolver(uint64_t function)
{
    const char *const all[] = {getaddrinfo, getnameinfo, gethostbyname, gethostbyname_r, gethostbyaddr_r};
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++)
        if (function && function == (uint64_t)all[i])
            return true;
    return false;
}

/* The function that the instruction in front of a return address called by a slot that the loader fills; 0: another instruction. */
#if defined(__x86_64__)
static int64_t load_distance(const uint8_t *code)
{
    int32_t distance;
    __builtin_memcpy(&distance, code, sizeof distance);
    return distance;
}

static uint64_t called_function(uint64_t after)
{
    uint8_t call[6], stub[12];
    uint64_t slot = after, function;
    if (!read_user(call, after - sizeof call, sizeof call))
        return 0;
    bool is_direct = call[1] == 0xe8; /* call stub, which is: [endbr64;] [bnd] jmp *slot(%rip) */
    uint8_t *code = call;
    slot += (uint64_t)load_distance(call + 2);
    if (is_direct) {
        if (!read_user(stub, slot, sizeof stub))
            return 0;
        code = stub + (stub[0] == 0xf3 ? 4 : 0);
        code += *code == 0xf2;
        slot += (uint64_t)(code + 6 - stub) + (uint64_t)load_distance(code + 2);
    }
    bool is_by_slot = code[0] == 0xff && code[1] == (is_direct ? 0x25 : 0x15); /* call *slot(%rip) */
    return is_by_slot && read_user(&function, slot, sizeof function) ? function : 0;
}
#else
static uint64_t called_function(uint64_t after)
{
    uint32_t call, stub[3]; /* bl stub, which is: [bti c;] adrp x16, page; ldr x17, [x16, offset] */
    uint64_t at, function;
    if (!read_user(&call, after - sizeof call, sizeof call) || call >> 26 != 0x25)
        return 0;
    at = after - sizeof call + (uint64_t)(int64_t)((int32_t)(call << 6) >> 4);
    if (!read_user(stub, at, sizeof stub))
        return 0;
    uint32_t i = stub[0] == 0xd503245f, adrp = stub[i], load = stub[i + 1];
    int64_t pages = (int32_t)((adrp >> 5 << 2 | (adrp >> 29 & 3)) << 11) >> 11;
    uint64_t slot = ((at + i * 4) & ~0xfffull) + (uint64_t)(pages * 4096) + (load >> 10 & 0xfff) * 8;
    bool is_by_slot = (adrp & 0x9f00001f) == 0x90000010 && (load & 0xffc003ff) == 0xf9400211;
    return is_by_slot && read_user(&function, slot, sizeof function) ? function : 0;
}
#endif

static bool is_after_resolver(uint64_t word)
{
    return is_resolver(called_function(word));
}

/* Only words that point into code are looked behind: each of the others would cost a probe of its page. */
struct text lookup_caller(const struct call *call, struct scratch *scratch)
{
    uint64_t start = (call->stack - PUSHED + 7) & ~7ull, end = start;
    while (end < start + LOOKUP_WORDS * 8 && readable(end))
        end = (end | (PAGE - 1)) + 1;
    struct text found =
        find_object((const uint64_t *)start, (uint32_t)((end - start) / 8), scratch, NULL, is_after_resolver);
    return found.len ? found : caller_object(call, scratch);
}

struct text call_maker(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, 1, NULL);
}

struct text memory_requester(const struct call *call, struct scratch *scratch)
{
    return find_return(call, scratch, REQUESTER_WORDS, is_libc);
}
