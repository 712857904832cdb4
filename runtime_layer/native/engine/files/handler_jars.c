/* Tests: tests/runtimes/java/test_java.py. */
#include "handler_jars.h"

#include "../../core/zip.h"
#include "../base/readdir.h"

static bool holds(const char *path, struct text name)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    struct stat st = {0};
    if (is_error(file))
        return false;
    KERNEL(fstat, file, &st);
    uint64_t size = (st.st_mode & S_IFMT) == S_IFREG ? (uint64_t)st.st_size : 0;
    int64_t view = size ? KERNEL(mmap, 0, size, PROT_READ, MAP_PRIVATE, file, 0) : -EINVAL;
    KERNEL(close, file);
    if (is_error(view))
        return false;
    bool found = zip_holds((const unsigned char *)view, size, name);
    KERNEL(munmap, view, size);
    return found;
}

struct search {
    struct text directory, file;
    bool (*add)(void *context, const char *path);
    void *context;
    struct scratch *scratch;
};

static bool check_jar(void *context, struct text name)
{
    const struct search *search = context;
    struct writer path = {search->scratch->other, 0, sizeof search->scratch->other, false};
    if (!text_ends(name, TEXT(".jar")))
        return true;
    put(&path, search->directory);
    put_char(&path, '/');
    put(&path, name);
    put_char(&path, 0);
    return path.full || !holds(path.at, search->file) || search->add(search->context, path.at);
}

bool find_jars_with(struct text directory, struct text file, bool (*add)(void *context, const char *path),
                    void *context, struct scratch *scratch)
{
    struct search search = {directory, file, add, context, scratch};
    return each_entry(directory.at, scratch->line, sizeof scratch->line, check_jar, &search);
}
