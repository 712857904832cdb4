#include "handler.h"

#include "directory.h"
#include "jars.h"
#include "mounts.h"
#include "user_memory.h"

/* What runtimes append to the module part of a handler (Python, Node.js, Ruby), and Java's class file. */
static const char *const endings[] = {".py",      ".pyc", "/__init__.py", "/__init__.pyc", ".js",
                                      ".mjs",     ".cjs", "/index.js",    ".js.map",       ".mjs.map",
                                      ".cjs.map", ".ts",  ".rb",          ".class",        ".jar"};

static bool add_file(const char *path)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (is_error(file))
        return true;
    struct stat st = {0};
    KERNEL(fstat, file, &st);
    bool on_root = is_on_root_mount((int32_t)file);
    KERNEL(close, file);
    if ((st.st_mode & S_IFMT) != S_IFREG)
        return true;
    for (uint32_t i = 0; i < sealed.handler_count; i++)
        if (sealed.handlers[i].ino == st.st_ino && sealed.handlers[i].dev == st.st_dev)
            return true;
    if (sealed.handler_count == MAX_HANDLERS)
        return false;
    sealed.handlers[sealed.handler_count++] = (struct inode){st.st_dev, st.st_ino};
    sealed.handler_on_root |= on_root;
    return true;
}

static bool put_path(struct writer *w, struct text directory, struct text name, const char *ending)
{
    w->used = 0;
    w->full = false;
    put(w, directory);
    put_char(w, '/');
    put(w, name);
    put(w, text_of(ending));
    put_char(w, 0);
    return !w->full;
}

struct bytecode {
    struct text directory, name; /* __pycache__, and the module's */
    struct scratch *scratch;
};

static bool add_if_bytecode(void *context, struct text found)
{
    const struct bytecode *of = context;
    struct writer path = {of->scratch->link, 0, sizeof of->scratch->link, false};
    bool is_of = found.len > of->name.len && text_starts(found, of->name) && found.at[of->name.len] == '.';
    return !is_of || !put_path(&path, of->directory, found, "") || add_file(path.at);
}

/* __pycache__/<name>.<tag>.pyc beside the source (PEP 3147) */
static bool add_bytecode(struct text module_path, struct scratch *scratch)
{
    struct text name = base_name(module_path);
    uint32_t before = module_path.len - name.len;
    struct text directory = {module_path.at, before ? before - 1 : 0};
    struct writer cache = {scratch->other, 0, sizeof scratch->other, false};
    if (!put_path(&cache, directory, TEXT("__pycache__"), ""))
        return true;
    struct bytecode of = {{cache.at, cache.used - 1}, name, scratch};
    return each_entry(cache.at, scratch->line, sizeof scratch->line, add_if_bytecode, &of);
}

/* Java's runtimes take classes from the jars in the root and in its lib, besides the root itself. `class_name`: as in the
 * handler's setting, with slashes. */
static bool add_jars(struct text root, struct text class_name, struct scratch *scratch)
{
    static const char *const folders[] = {"", "/lib"};
    char file[1024 + sizeof ".class"];
    struct writer name = {file, 0, sizeof file, false};
    bool well = true;
    put(&name, class_name);
    put(&name, TEXT(".class"));
    for (uint32_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct writer path = {scratch->path, 0, sizeof scratch->path, false};
        put(&path, root);
        put(&path, text_of(folders[i]));
        put_char(&path, 0);
        well &= jars_with((struct text){path.at, path.used - 1}, (struct text){file, name.used}, add_file,
                          scratch);
    }
    return well;
}

bool handler_add(struct text root, struct text handler)
{
    struct scratch *scratch = handler.len && handler.len < 1024 && root.len < 1024 ? scratch_take() : NULL;
    if (!scratch)
        return handler.len == 0;
    bool well = true;
    /* Everything before the last dot is the module ("::" for Java: everything before it is the class). */
    uint32_t cut = handler.len;
    for (uint32_t i = 0; i + 1 < handler.len; i++)
        if (handler.at[i] == ':' && handler.at[i + 1] == ':') {
            cut = i;
            break;
        }
    if (cut == handler.len)
        while (cut > 0 && handler.at[cut - 1] != '.')
            cut--;
    uint32_t module_len = cut && handler.at[cut - 1] == '.' ? cut - 1 : cut;
    char module[1024];
    struct writer path = {scratch->path, 0, sizeof scratch->path, false};
    /* Dots in a module are package separators in Python and Java, and part of the name in Node.js: both. */
    for (uint32_t dotted = 0; dotted < 2; dotted++) {
        for (uint32_t i = 0; i < module_len; i++)
            module[i] = dotted && handler.at[i] == '.' ? '/' : handler.at[i];
        struct text name = {module, module_len};
        for (uint32_t i = 0; i < sizeof endings / sizeof *endings; i++)
            if (put_path(&path, root, name, endings[i]))
                well &= add_file(scratch->path);
        if (put_path(&path, root, name, ""))
            well &= add_bytecode((struct text){scratch->path, path.used - 1}, scratch);
        if (put_path(&path, root, name, "/__init__"))
            well &= add_bytecode((struct text){scratch->path, path.used - 1}, scratch);
    }
    if (sealed.language == LANGUAGE_JAVA)
        well &= add_jars(root, (struct text){module, module_len}, scratch);
    scratch_give(scratch);
    return well;
}
