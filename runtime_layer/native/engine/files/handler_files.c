/* A module that the handler imports is not among them. Tests: tests/integration/engine/test_handler.py,
 * tests/runtimes/java/test_java.py. */
#include "handler_files.h"

#include "../../core/zip.h"
#include "../base/filesystem.h"
#include "../base/procfs.h"
#include "../base/read_file.h"
#include "../base/user_memory.h"

/* The rules by which each language's runtime client reads the setting: the end of the module's name, whether dots in it are
 * folders, and the endings that it appends. A wrapper or a child does not know the language, so all rules are applied. */
enum module_end {
    LAST_DOT, /* Python: bootstrap.py */
    FIRST_DOT, /* of the file's name; "index.api.handler" for Node.js, "app.Functions::Orders.process" for Ruby */
    OF_CLASS,    /* Java: the whole, or the part before "::" (EventHandlerLoader.java) */
    OF_ASSEMBLY, /* .NET: the whole, or the part before the first ':' (bootstrap.sh) */
};

struct handler_rule {
    enum module_end end;
    bool dots_are_folders;
    char endings[56]; /* with bars between them */
};

static const struct handler_rule rules[] = {
    {LAST_DOT, true, ".py|.pyc|/__init__.py|/__init__.pyc"},
    {FIRST_DOT, false, "|.js|.mjs|.cjs|/index.js|.js.map|.mjs.map|.cjs.map|.ts"},
    {FIRST_DOT, false, ".rb"},
    {OF_CLASS, true, ".class"},
    {OF_ASSEMBLY, false, "|.dll"}, /* without its .pdb, which stack traces read */
};
enum { RULES = sizeof rules / sizeof *rules };

/* Whether the file has one spelling only. Some file systems have short names besides the long ones, several encodings of an
 * accent, or names without case. `path` ends in `name`. */
static bool has_one_spelling(int32_t file, const struct stat *st, char *path, struct text name)
{
    struct stat other = {0};
    bool has_letters = false;
    char *at = path + text_of(path).len - name.len;
    for (uint32_t i = 0; i < name.len; i++) {
        uint8_t c = (uint8_t)at[i], lower = c | 0x20;
        bool is_letter = lower >= 'a' && lower <= 'z';
        if (c >= 0x80)
            return false;
        at[i] = (char)(is_letter ? c ^ 0x20 : c);
        has_letters |= is_letter;
    }
    bool is_found = !is_error(KERNEL(newfstatat, AT_FDCWD, path, &other, AT_SYMLINK_NOFOLLOW));
    return is_read_only_and_exact(file) && !(has_letters && is_found && other.st_ino == st->st_ino);
}

/* The name of a file, links followed, if it can have no other. A file that is a mount by itself has another name in its file
 * system, and a file on a writable mount can be renamed. */
static bool find_only_name(int32_t file, const struct stat *st, char only[HANDLER_NAME])
{
    char path[512];
    struct text whole = path_of(file, path, sizeof path - 1), name = base_name(whole);
    if (st->st_nlink != 1 || whole.len == sizeof path - 1 || name.len == whole.len ||
        name.len >= HANDLER_NAME)
        return false;
    path[whole.len] = 0;
    copy_bytes(only, name.at, name.len);
    if (!has_one_spelling(file, st, path, name))
        return false;
    path[whole.len - name.len] = 0;
    return is_on_mount_of(file, path);
}

static bool add_opened(struct handlers *handlers, int32_t file)
{
    struct stat st = stat_of(file);
    struct inode inode = {st.st_dev, st.st_ino};
    if ((st.st_mode & S_IFMT) != S_IFREG ||
        find_inode(handlers->inodes, handlers->count, inode) != handlers->count)
        return true;
    if (handlers->count == MAX_HANDLERS)
        return false;
    handlers->have_one_name &= find_only_name(file, &st, handlers->names[handlers->count]);
    handlers->inodes[handlers->count++] = inode;
    handlers->are_on_root |= is_of_root_filesystem(file);
    return true;
}

static bool add_file(void *handlers, const char *path)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    bool succeeds = is_error(file) || add_opened(handlers, (int32_t)file);
    if (!is_error(file))
        KERNEL(close, file);
    return succeeds;
}

static bool put_path(struct writer *w, struct text directory, struct text name, struct text ending)
{
    w->used = 0;
    w->full = false;
    put(w, directory);
    put_char(w, '/');
    put(w, name);
    put(w, ending);
    put_char(w, 0);
    return !w->full;
}

struct bytecode {
    struct handlers *handlers;
    struct text directory, name; /* __pycache__, and the module's */
    struct scratch *scratch;
};

static bool add_if_bytecode(void *context, struct text found)
{
    const struct bytecode *of = context;
    struct writer path = {of->scratch->link, 0, sizeof of->scratch->link, false};
    bool is_of = found.len > of->name.len && text_starts(found, of->name) && found.at[of->name.len] == '.';
    return !is_of || !put_path(&path, of->directory, found, TEXT("")) || add_file(of->handlers, path.at);
}

/* Adds __pycache__/<name>.<tag>.pyc beside the source (PEP 3147). */
static bool add_bytecode(struct handlers *handlers, struct text module_path, struct scratch *scratch)
{
    struct text name = base_name(module_path);
    uint32_t before = module_path.len - name.len;
    struct text directory = {module_path.at, before ? before - 1 : 0};
    struct writer cache = {scratch->other, 0, sizeof scratch->other, false};
    if (!put_path(&cache, directory, TEXT("__pycache__"), TEXT("")))
        return true;
    struct bytecode of = {handlers, {cache.at, cache.used - 1}, name, scratch};
    return each_entry(cache.at, scratch->line, sizeof scratch->line, add_if_bytecode, &of);
}

static bool holds_file(const char *path, struct text name)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (is_error(file))
        return false;
    struct stat st = stat_of(file);
    uint64_t size = (st.st_mode & S_IFMT) == S_IFREG ? (uint64_t)st.st_size : 0;
    int64_t view = size ? KERNEL(mmap, 0, size, PROT_READ, MAP_PRIVATE, file, 0) : -EINVAL;
    KERNEL(close, file);
    if (is_error(view))
        return false;
    bool found = zip_holds((const unsigned char *)view, size, name);
    KERNEL(munmap, view, size);
    return found;
}

struct jars {
    struct handlers *handlers;
    struct text directory, file; /* the file that each must hold */
    struct scratch *scratch;
};

static bool add_if_jar(void *context, struct text name)
{
    const struct jars *of = context;
    struct writer path = {of->scratch->other, 0, sizeof of->scratch->other, false};
    return !text_ends(name, TEXT(".jar")) || !put_path(&path, of->directory, name, TEXT("")) ||
           !holds_file(path.at, of->file) || add_file(of->handlers, path.at);
}

/* Adds the jars with the class, in the root and in its lib, from which Java's runtimes load classes. `class_name`: as in the
 * handler's setting, with slashes. */
static bool add_jars(struct handlers *handlers, struct text root, struct text class_name,
                     struct scratch *scratch)
{
    static const char *const folders[] = {"", "/lib"};
    char file[1024 + sizeof ".class"];
    struct writer name = {file, 0, sizeof file, false};
    bool succeeds = true;
    put(&name, class_name);
    put_words(&name, ".class");
    for (uint32_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct writer path = {scratch->path, 0, sizeof scratch->path, false};
        put(&path, root);
        put_words(&path, folders[i]);
        put_char(&path, 0);
        struct jars jars = {handlers, {path.at, path.used - 1}, {file, name.used}, scratch};
        succeeds &= each_entry(path.at, scratch->line, sizeof scratch->line, add_if_jar, &jars);
    }
    return succeeds;
}

static uint32_t module_length(struct text handler, enum module_end end)
{
    struct text file = base_name(handler);
    uint32_t before = handler.len - file.len, len = handler.len;
    switch (end) {
    case LAST_DOT:
        while (len > 0 && handler.at[len - 1] != '.')
            len--;
        return len ? len - 1 : 0;
    case FIRST_DOT:
        for (len = before; len < handler.len && handler.at[len] != '.';)
            len++;
        return len < handler.len ? len : 0;
    case OF_CLASS:
        for (uint32_t i = 0; i + 1 < handler.len; i++)
            if (handler.at[i] == ':' && handler.at[i + 1] == ':')
                len = i;
        return len;
    case OF_ASSEMBLY:
        for (len = 0; len < handler.len && handler.at[len] != ':';)
            len++;
        return len;
    }
    return 0;
}

static bool add_all(struct handlers *handlers, const struct handler_rule *rule, struct text root,
                    struct text module, struct scratch *scratch)
{
    struct writer path = {scratch->path, 0, sizeof scratch->path, false};
    bool succeeds = true;
    struct text endings = text_of(rule->endings), ending;
    while (text_next(&endings, '|', &ending))
        if (put_path(&path, root, module, ending))
            succeeds &= add_file(handlers, scratch->path);
    if (rule->end == LAST_DOT && put_path(&path, root, module, TEXT("")))
        succeeds &= add_bytecode(handlers, (struct text){scratch->path, path.used - 1}, scratch);
    if (rule->end == LAST_DOT && put_path(&path, root, module, TEXT("/__init__")))
        succeeds &= add_bytecode(handlers, (struct text){scratch->path, path.used - 1}, scratch);
    if (rule->end == OF_CLASS && sealed->process.language == LANGUAGE_JAVA)
        succeeds &= add_jars(handlers, root, module, scratch);
    return succeeds;
}

bool add_handler(struct handlers *handlers, struct text root, struct text handler)
{
    struct scratch *scratch = handler.len && handler.len < 1024 && root.len < 1024 ? scratch_take() : NULL;
    if (!scratch)
        return handler.len == 0;
    bool succeeds = true;
    char module[1024];
    for (uint32_t r = 0; r < RULES; r++) {
        uint32_t len = module_length(handler, rules[r].end);
        for (uint32_t i = 0; i < len; i++)
            module[i] = rules[r].dots_are_folders && handler.at[i] == '.' ? '/' : handler.at[i];
        if (len)
            succeeds &= add_all(handlers, &rules[r], root, (struct text){module, len}, scratch);
    }
    scratch_give(scratch);
    return succeeds;
}
