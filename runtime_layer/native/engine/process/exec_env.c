/* Tests: tests/lab/spawn/test_spawn.py. */
#include "exec.h"

#include "../../core/native_code.h"
#include "../base/user_memory.h"
#include "../state/child_settings.h"

enum {
    STRING_MAX = 0x20000,  /* MAX_ARG_STRLEN (include/uapi/linux/binfmts.h) */
    STRINGS_MAX = 1 << 23, /* more than the kernel takes (execve(2): a quarter of the stack's limit) */
    OWN_MAX = 3 * PAGE,    /* the shield's preloads and state, and the addresses learned last */
    PLACES = 256
};

/* Memory in use, and the child that is started with it. The thread that changes `pid` from 0 writes the other fields, and then
 * the pid (release); the one that changes it to 0 by an exchange has the memory. */
struct place {
    int32_t pid; /* 0: free; -1: being taken */
    uint64_t at, size;
};
static struct place places[PLACES];

static bool has_ended(int32_t pid)
{
    return pid > 0 && KERNEL(kill, pid, 0) == -ESRCH;
}

static void release_place(struct place *place, int32_t pid)
{
    uint64_t at = __atomic_load_n(&place->at, __ATOMIC_RELAXED),
             size = __atomic_load_n(&place->size, __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&place->pid, &pid, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        KERNEL(munmap, at, size);
}

/* Records the memory of a child. Without a free place, the memory is never released. */
static void record_memory(uint64_t at, uint64_t size)
{
    int32_t me = (int32_t)KERNEL(getpid);
    for (uint32_t i = 0; i < PLACES; i++) {
        struct place *place = &places[i];
        int32_t pid = __atomic_load_n(&place->pid, __ATOMIC_ACQUIRE);
        if (pid != me && has_ended(pid))
            release_place(place, pid);
        int32_t free = 0;
        if (!__atomic_compare_exchange_n(&place->pid, &free, -1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            continue;
        __atomic_store_n(&place->at, at, __ATOMIC_RELAXED);
        __atomic_store_n(&place->size, size, __ATOMIC_RELAXED);
        __atomic_store_n(&place->pid, me, __ATOMIC_RELEASE);
        return;
    }
}

void child_start_release(const struct child_start *start)
{
    int32_t me = (int32_t)KERNEL(getpid);
    for (uint32_t i = 0; i < PLACES; i++)
        if (__atomic_load_n(&places[i].at, __ATOMIC_RELAXED) == start->memory &&
            __atomic_compare_exchange_n(&places[i].pid, &me, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            break;
    KERNEL(munmap, start->memory, start->size);
}

/* Counts the variables and their bytes; an errno when they cannot be read. */
static int64_t measure_environment(uint64_t envp, uint64_t *count, uint64_t *bytes)
{
    *count = *bytes = 0;
    for (uint64_t string; envp; ++*count) {
        if (!read_user(&string, envp + *count * 8, 8))
            return -EFAULT;
        if (!string)
            return 0;
        int64_t len = read_user_string(NULL, string, STRING_MAX);
        if (len < 0)
            return len == -ENAMETOOLONG ? -E2BIG : len;
        *bytes += (uint64_t)len + 1;
        if (*bytes > STRINGS_MAX || *count > STRINGS_MAX / 8)
            return -E2BIG;
    }
    return 0;
}

/* Whether the variable is removed: the shield's settings, and variables by which the loader would run code or write before it
 * loads the library (ld.so(8)). */
static bool is_dropped(struct text variable)
{
    static const char *const names[] = {"SHIELD_", "LD_AUDIT=", "LD_DEBUG", "LD_PROFILE"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(variable, text_of(names[i])))
            return true;
    return false;
}

static bool has_name(struct text variable, struct text name_and_equals, struct text *value)
{
    if (!text_starts(variable, name_and_equals))
        return false;
    *value = (struct text){variable.at + name_and_equals.len, variable.len - name_and_equals.len};
    return true;
}

/* Whether the variable changes the loader's search path: other libraries would run before the shield's. It may be removed; and
 * a wrapper, which the function's owner chose, may change it. */
static bool is_other_library_path(struct text variable)
{
    struct text value;
    return !is_starting() && has_name(variable, TEXT("LD_LIBRARY_PATH="), &value) &&
           !text_equal(value, kept_text(sealed->process.loader_path));
}

/* The next of a list of libraries, which colons or spaces separate (ld.so(8)). */
static bool next_library(struct text *list, struct text *library)
{
    uint32_t len = 0;
    if (!list->len)
        return false;
    while (len < list->len && list->at[len] != ':' && list->at[len] != ' ')
        len++;
    uint32_t past = len < list->len ? len + 1 : len;
    *library = (struct text){list->at, len};
    *list = (struct text){list->at + past, list->len - past};
    return true;
}

static bool was_preloaded(struct text library)
{
    struct text list = kept_text(sealed->process.loader_preload), piece;
    while (next_library(&list, &piece))
        if (text_equal(piece, library))
            return true;
    return false;
}

/* "LD_PRELOAD=<ours>[:<the program's, if this process has it too or a wrapper sets it>]" */
static void put_preload(struct writer *w, struct text theirs)
{
    struct text ours = kept_text(sealed->process.library.path), piece;
    put_words(w, "LD_PRELOAD=");
    put(w, ours);
    while (next_library(&theirs, &piece))
        if (piece.len && !text_equal(piece, ours) && (is_starting() || was_preloaded(piece))) {
            put_char(w, ':');
            put(w, piece);
        }
    put_char(w, 0);
}

/* Whether node_callers.cjs is preloaded: it names callers, or asks before V8's flags change. */
static bool has_node_preload(struct text program)
{
    return sealed->policy.node_callers == CALLERS_ON ||
           (language_from(base_name(program)) == LANGUAGE_NODE &&
            verdict_bridge(&sealed->policy, TEXT(NODE_FLAGS), sealed->process.memory_by_runtime).action !=
                ACTION_ALLOW);
}

/* "NODE_OPTIONS=--require <beside our library>/node_callers.cjs[ <theirs>]" */
static void put_node_options(struct writer *w, struct text theirs)
{
    struct text library = kept_text(sealed->process.library.path);
    put_words(w, "NODE_OPTIONS=");
    uint32_t from = w->used;
    put_words(w, "--require ");
    put(w, (struct text){library.at, library.len - base_name(library).len});
    put_words(w, "node_callers.cjs");
    struct text ours = {w->at + from, w->used - from};
    if (text_starts(theirs, ours)) /* inherited from this process */
        theirs = (struct text){theirs.at + ours.len, theirs.len - ours.len};
    else if (theirs.len)
        put_char(w, ' ');
    put(w, theirs);
    put_char(w, 0);
}

/* Writes "SHIELD_STATE=<stage>:<log descriptor>:<runtime>". */
static void put_state(struct writer *w)
{
    put(w, is_starting() ? TEXT("SHIELD_STATE=starting:")
           : is_ready()  ? TEXT("SHIELD_STATE=ready:")
                         : TEXT("SHIELD_STATE=running:"));
    if (sealed->process.log < 0)
        put_words(w, "-1");
    else
        put_number(w, (uint32_t)sealed->process.log);
    put_char(w, ':');
    put(w, kept_text(sealed->process.runtime));
    put_char(w, 0);
}

/* Writes the learned addresses, so that the program may connect to them. */
static void put_learned(struct writer *w)
{
    put_words(w, LEARNED_NAMES "=");
    names_write_recent(learned_names(), w);
    put_char(w, 0);
}

/* Copies the caller's variables, except removed ones. The ones that the shield extends are returned instead. NULL: it does not
 * extend NODE_OPTIONS. */
static int64_t copy_variables(uint64_t envp, uint64_t count, struct writer *w, uint64_t *out, uint64_t *n,
                              struct text *preload, struct text *node_options)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t string;
        uint32_t before = w->used, room = w->cap - w->used;
        if (!read_user(&string, envp + i * 8, 8))
            return -EFAULT;
        if (!string)
            break;
        char *at = w->at + before;
        int64_t len = read_user_string(at, string, room < STRING_MAX ? room : STRING_MAX);
        if (len < 0) /* another thread made it longer */
            return len == -ENAMETOOLONG ? -E2BIG : len;
        struct text variable = {at, (uint32_t)len};
        if (is_dropped(variable) || is_other_library_path(variable))
            continue;
        w->used += (uint32_t)len + 1;
        bool is_kept = node_options && has_name(variable, TEXT("NODE_OPTIONS="), node_options);
        if (!is_kept && !has_name(variable, TEXT("LD_PRELOAD="), preload))
            out[(*n)++] = (uint64_t)at;
    }
    return 0;
}

int64_t child_start_make(struct child_start *start, struct text path, struct text program, uint64_t envp)
{
    uint64_t count, bytes, n = 0;
    int64_t error = measure_environment(envp, &count, &bytes);
    if (error)
        return error;
    uint64_t pointers = (count + MAX_SETTINGS + 5) * 8;
    /* Twice the bytes, as the caller's preloads are written again behind the shield's. */
    uint64_t size = page_up(pointers + 2 * bytes + path.len + 1 + OWN_MAX);
    uint64_t *out = new_memory(size);
    if (!out)
        return -ENOMEM;
    record_memory((uint64_t)out, size);
    start->memory = (uint64_t)out;
    start->size = size;
    struct writer w = {(char *)out + pointers, 0, (uint32_t)(size - pointers), false};
    start->path = w.at;
    start->environment = out;
    put(&w, path);
    put_char(&w, 0);
    /* The shield's variables are first where the first value counts (its settings), and last where the last one does (the
     * loader's). */
    out[n++] = (uint64_t)(w.at + w.used);
    put_state(&w);
    if (policy_judges_outbound(&sealed->policy)) {
        out[n++] = (uint64_t)(w.at + w.used);
        put_learned(&w);
    }
    for (uint32_t i = 0; i < sealed->process.texts.setting_count; i++)
        out[n++] = (uint64_t)(sealed->process.texts.pool + sealed->process.texts.settings[i]);
    struct text preload = TEXT(""), node_options = TEXT("");
    bool has_preload = has_node_preload(program);
    error = copy_variables(envp, count, &w, out, &n, &preload, has_preload ? &node_options : NULL);
    if (has_preload) {
        out[n++] = (uint64_t)(w.at + w.used);
        put_node_options(&w, node_options);
    }
    out[n++] = (uint64_t)(w.at + w.used);
    put_preload(&w, preload);
    out[n] = 0;
    if (!error && w.full)
        error = -E2BIG;
    if (error)
        child_start_release(start);
    return error;
}
