/* Tests: tests/integration/engine/test_handler.py, tests/integration/from_code/test_python.py. */
#include "read_file.h"

struct text read_whole_file(const char *path, uint64_t max)
{
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (is_error(file))
        return (struct text){NULL, 0};
    int64_t memory = KERNEL(mmap, 0, max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t len = 0;
    bool failed = false;
    while (!is_error(memory) && len < max) {
        int64_t n = KERNEL(read, file, memory + (int64_t)len, max - len);
        if (n <= 0) {
            failed = n < 0;
            break;
        }
        len += (uint64_t)n;
    }
    KERNEL(close, file);
    if (is_error(memory) || len == max || failed) {
        if (!is_error(memory))
            KERNEL(munmap, memory, max);
        return (struct text){NULL, 0};
    }
    return (struct text){(const char *)memory, (uint32_t)len};
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
