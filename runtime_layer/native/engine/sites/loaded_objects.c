/* Tests: tests/integration/engine/test_layouts.py. */
#include "loaded_objects.h"

#include "../base/procfs.h"
#include "../base/protected_ranges.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../state/child_settings.h"
#include "patch.h"

/* The end of the library's data, which the linker sets. */
extern const char _end[] __attribute__((visibility("hidden")));

enum {
    RECORD = 6144, /* the limit of a variable's size in a child's environment */
    RECORD_MAX = 1 << 16,
    OBJECTS = 1 << 14, /* a library is five mappings, and a data scientist's function has hundreds */
    NAMES = 1 << 20
};

struct object {
    uint64_t low, high, offset, ino;
    uint32_t path; /* offset in names */
    bool executable;
};

/* The objects in /proc/self/maps, which is read completely before the first patch, as patching changes it. */
struct listing {
    uint32_t count, names_used;
    bool full;
    bool shared;                 /* other threads are running the listed code */
    bool only_checks;            /* changes nothing */
    struct own_library *library; /* the engine's library, for children */
    struct kept_texts *texts;
    uint64_t program;  /* the inode of this process's program */
    struct text found; /* known sites, from a parent or the first search */
    struct object objects[OBJECTS];
    char names[NAMES];
    char buffer[2 * PAGE];
    struct site known[KNOWN_MAX];
    struct writer record;
    char record_text[RECORD_MAX];
    struct room room;
};

/* The libraries through which calls are made, in any folder. */
static const char libc_family[][11] = {"libc.so",  "libc-2", "ld-",    "ld.so",     "libc.musl", "libpthread",
                                       "librt.so", "librt-", "libanl", "libresolv", "libnss_"};
/* Objects of the system and of the managed runtimes make their calls through libc. */
static const char trusted[][14] = {"/lib/",         "/lib64/",    "/usr/lib/",    "/usr/lib64/",
                                   "/usr/bin/",     "/bin/",      "/usr/sbin/",   "/sbin/",
                                   "/usr/libexec/", "/var/lang/", "/var/runtime/"};

/* Keeps a name once for the mappings of one file, which follow each other. */
static bool keep_name(struct listing *l, struct text path, uint32_t *at)
{
    *at = l->count ? l->objects[l->count - 1].path : 0;
    if (l->count && text_equal(path, text_of(l->names + *at)))
        return true;
    struct writer w = {l->names, l->names_used, NAMES, false};
    *at = w.used;
    put(&w, path);
    put_char(&w, 0);
    l->names_used = w.used;
    return !w.full;
}

static bool take(void *context, const struct mapping *m)
{
    struct listing *l = context;
    uint32_t path;
    if (!m->path.len || m->path.at[0] != '/')
        return false;
    if (l->count == OBJECTS || !keep_name(l, m->path, &path)) {
        l->full = true;
        return true;
    }
    l->objects[l->count++] = (struct object){m->low, m->high, m->offset, m->ino, path, m->executable};
    return false;
}

/* The runtime that the wrapper starts, and its libraries: <prefix>/bin/<runtime>, <prefix>/lib... Empty when this process is
 * another program. */
struct runtime {
    uint64_t ino;
    struct text prefix;
    char path[PAGE];
};

/* The prefix of "<prefix>/bin/python3.12". Empty: the program is in no folder `bin`. */
static struct text prefix_of(struct text program)
{
    struct text directory = {program.at, program.len - base_name(program).len};
    return text_ends(directory, TEXT("/bin/"))
               ? (struct text){program.at, directory.len - 4 /* keeps the slash */}
               : TEXT("");
}

struct text find_runtime_prefix(char *room, uint32_t cap)
{
    int64_t n = KERNEL(readlinkat, AT_FDCWD, "/proc/self/exe", room, cap);
    return n > 0 ? prefix_of((struct text){room, (uint32_t)n}) : TEXT("");
}

static void find_runtime(struct runtime *r, uint64_t program)
{
    uint16_t path = sealed->process.runtime;
    r->ino = path && inode_at(kept_text(path).at).ino == program ? program : 0;
    r->prefix = r->ino ? find_runtime_prefix(r->path, sizeof r->path) : TEXT("");
}

static bool is_below_runtime(struct text prefix, struct text path)
{
    static const char folders[][7] = {"lib/", "lib64/"}, functions[][11] = {"/var/task/", "/opt/", "/tmp/"};
    struct text rest = {path.at + prefix.len, path.len - prefix.len};
    return prefix.len && text_starts(path, prefix) && STARTS_ANY(rest, folders) &&
           !STARTS_ANY(path, functions);
}

static bool is_of_runtime(const struct runtime *r, struct text path, uint64_t ino)
{
    return ino == r->ino || is_below_runtime(r->prefix, path);
}

static bool needs_scan(const struct runtime *r, struct text path, uint64_t ino)
{
    return STARTS_ANY(base_name(path), libc_family) ||
           !(STARTS_ANY(path, trusted) || is_of_runtime(r, path, ino));
}

/* Whether the path holds installed packages, which are not the runtime's own. */
static bool holds_packages(struct text path)
{
    static const char folders[][15] = {"site-packages/", "dist-packages/", "node_modules/"};
    for (; path.len; path.at++, path.len--)
        if (path.at[0] == '/' && STARTS_ANY(((struct text){path.at + 1, path.len - 1}), folders))
            return true;
    return false;
}

bool is_trusted_library(struct text path)
{
    static const char runtime[][17] = {"/var/lang/bin/" /* V8 maps a part of its program again */,
                                       "/var/lang/lib/", "/var/lang/lib64/", "/var/runtime/"};
    static const char system[][12] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
    /* Frequent libraries of the system that make their calls through libc, as not all libraries do. tests/lab/libcs checks
     * those of Debian. */
    static const char known[][14] = {"libbz2.so.",  "libcrypt.so.", "libcrypto.so.", "libexpat.so.",
                                     "libffi.so.",  "libgcc_s",     "liblzma.so.",   "libm-2.",
                                     "libm.so.",    "libsqlite3.",  "libssl.so.",    "libstdc++.so.",
                                     "libuuid.so.", "libz.so."};
    struct text name = base_name(path);
    bool is_own = STARTS_ANY(path, runtime) && !STARTS_ANY(name, libc_family);
    return (is_own || (STARTS_ANY(path, system) && STARTS_ANY(name, known))) && !holds_packages(path);
}

bool is_of_platform(struct text path, struct text runtime_prefix)
{
    static const char client[][14] = {"/var/runtime/"};
    bool is_theirs = STARTS_ANY(path, trusted) || is_below_runtime(runtime_prefix, path);
    return is_theirs && (STARTS_ANY(path, client) || !holds_packages(path));
}

/* "a system call cannot be guarded in <path> at <offset>, number <n>" */
static void put_reason(const struct patch *patch, const char *path, struct writer *error)
{
    put_words(error, "a system call cannot be guarded in ");
    put_words(error, path);
    if (patch->is_go)
        put_words(error, ": Go code, whose stacks are too small for that");
    if (!patch->hard || patch->is_go)
        return;
    put_words(error, " at file offset ");
    put_number(error, patch->first_hard.offset);
    if (patch->first_hard.number >= 0) {
        put_words(error, ", number ");
        put_number(error, (uint32_t)patch->first_hard.number);
    }
}

static bool patch_object(struct listing *l, const struct object *o, const char *path,
                         struct armed_objects *out, struct writer *error)
{
    /* A memory file or a deleted program has no name, but the kernel still has the file. */
    if (l->program == o->ino)
        path = "/proc/self/exe";
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    struct patch patch = {.low = o->low,
                          .high = o->high,
                          .delta = o->low - o->offset,
                          .shared = l->shared,
                          .only_checks = l->only_checks,
                          .room = &l->room};
    if (is_error(file)) {
        put_reason(&patch, path, error);
        return false;
    }
    struct stat st = {0};
    bool succeeds = !is_error(KERNEL(fstat, file, &st)) && st.st_ino == o->ino;
    if (succeeds) {
        patch.key = (struct object_key){st.st_dev, st.st_ino, (uint64_t)st.st_size,
                                        st.st_mtime * 1000000000ull + st.st_mtime_nsec, o->offset};
        patch.record = l->found.len ? NULL : &l->record;
        int32_t count = known_sites_read(l->found, &patch.key, l->known);
        succeeds = count < 0 ? patch_file_mapping((int32_t)file, patch.key.size, &patch)
                             : patch_known_sites(&patch, l->known, (uint32_t)count);
    }
    KERNEL(close, file);
    out->sites += l->only_checks || !l->found.len ? patch.sites : 0;
    out->patched += patch.patched;
    if (!succeeds)
        put_reason(&patch, path, error);
    return succeeds;
}

/* Protects every mapping of the engine's library. */
static bool protect_self(const struct listing *l, uint32_t self)
{
    const char *path = l->names + l->objects[self].path;
    struct text t = text_of(path);
    *l->library = (struct own_library){keep_text(l->texts, t), inode_at(path)};
    bool succeeds = l->library->path && l->library->inode.ino == l->objects[self].ino;
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < l->count; i++)
        if (text_equal(text_of(l->names + l->objects[i].path), t)) {
            low = low && low < l->objects[i].low ? low : l->objects[i].low;
            high = high > l->objects[i].high ? high : l->objects[i].high;
        }
    uint64_t end = page_up((uint64_t)_end); /* the zeroed data has no name in the listing */
    return succeeds && protect_range(low, high > end ? high : end, RANGE_ENGINE, 0);
}

static bool patch_listed(struct listing *l, struct armed_objects *out, struct writer *error)
{
    struct runtime runtime;
    find_runtime(&runtime, l->program);
    bool found_self = false;
    for (uint32_t i = 0; i < l->count; i++) {
        const struct object *o = &l->objects[i];
        const char *path = l->names + o->path;
        if (!o->executable)
            continue;
        if (o->low <= (uint64_t)patch_listed && (uint64_t)patch_listed < o->high) {
            found_self = l->only_checks || protect_self(l, i);
            continue;
        }
        if (!needs_scan(&runtime, text_of(path), o->ino))
            continue;
        if (!patch_object(l, o, path, out, error))
            return false;
    }
    if (!found_self)
        put_words(error, "cannot find libshield.so in /proc/self/maps");
    return found_self;
}

static bool patch_all(struct listing *l, bool checks_first, struct armed_objects *out, struct writer *error)
{
    if (sealed->process.known_sites)
        l->found = kept_text(sealed->process.known_sites);
    if (checks_first) {
        l->only_checks = true;
        if (!patch_listed(l, out, error))
            return false;
        l->only_checks = false;
        l->found = (struct text){l->record_text, l->record.full ? 0 : l->record.used};
    }
    return patch_listed(l, out, error);
}

bool patch_loaded_objects(struct armed_objects *out, struct own_library *library, struct kept_texts *texts,
                          bool checks_first, struct writer *error)
{
    struct listing *l = new_memory(sizeof *l);
    if (!l) {
        put_words(error, "out of memory");
        return false;
    }
    bool succeeds = each_mapping(l->buffer, sizeof l->buffer, take, l) && !l->full;
    if (!succeeds)
        put_words(error, "cannot read /proc/self/maps, or it is too long");
    l->library = library;
    l->texts = texts;
    l->shared = !is_single_threaded();
    l->program = inode_at("/proc/self/exe").ino;
    l->record = (struct writer){l->record_text, 0, sizeof l->record_text, false};
    succeeds = succeeds && patch_all(l, checks_first, out, error);
    if (succeeds && !sealed->process.known_sites && !l->record.full && l->record.used <= RECORD)
        keep_setting(texts, TEXT(""), TEXT(KNOWN_SITES), (struct text){l->record_text, l->record.used});
    KERNEL(munmap, l, sizeof *l);
    return succeeds;
}
