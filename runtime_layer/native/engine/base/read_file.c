/* Tests: tests/integration/engine/test_handler.py, tests/integration/from_code/test_python.py. */
#include "read_file.h"

struct text read_whole_file(const char *path, uint64_t max)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (is_error(file))
        return (struct text){NULL, 0};
    char *memory = new_memory(max);
    uint64_t len = 0;
    int64_t n = memory ? 1 : -ENOMEM;
    while (n > 0 && len < max) {
        n = KERNEL(read, file, memory + len, max - len);
        len += n > 0 ? (uint64_t)n : 0;
    }
    KERNEL(close, file);
    if (n == 0)
        return (struct text){memory, (uint32_t)len};
    if (memory)
        KERNEL(munmap, memory, max);
    return (struct text){NULL, 0};
}

void drop_whole_file(struct text t, uint64_t max)
{
    if (t.at)
        KERNEL(munmap, t.at, max);
}

/* Whether the directory cannot be searched either, so that nothing in it can be opened (path_resolution(7)). */
static bool is_closed(const char *path)
{
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int64_t within = is_error(directory) ? directory : KERNEL(openat, directory, ".", O_PATH | O_CLOEXEC, 0);
    if (!is_error(directory))
        KERNEL(close, directory);
    if (!is_error(within))
        KERNEL(close, within);
    return within == -EACCES;
}

bool each_entry(const char *path, char *buffer, uint32_t cap, bool (*each)(void *context, struct text name),
                void *context)
{
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool succeeds = true;
    if (is_error(directory))
        return directory == -ENOENT || directory == -ENOTDIR || directory == -ENAMETOOLONG || is_closed(path);
    for (;;) {
        int64_t n = KERNEL(getdents64, directory, buffer, cap);
        succeeds &= n >= 0;
        if (n <= 0)
            break;
        for (int64_t at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(buffer + at);
            succeeds &= each(context, text_of(e->name));
            at += e->len;
        }
    }
    KERNEL(close, directory);
    return succeeds;
}
