#include "directory.h"

/* struct linux_dirent64 (getdents64(2)) */
struct entry {
    uint64_t ino, offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

bool each_entry(const char *path, char *buffer, uint32_t cap, bool (*each)(void *context, struct text name),
                void *context)
{
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    bool well = true;
    if (is_error(directory))
        return directory == -ENOENT || directory == -ENOTDIR || directory == -ENAMETOOLONG;
    for (;;) {
        int64_t n = KERNEL(getdents64, directory, buffer, cap);
        well &= n >= 0;
        if (n <= 0)
            break;
        for (int64_t at = 0; at < n;) {
            const struct entry *e = (const struct entry *)(buffer + at);
            well &= each(context, text_of(e->name));
            at += e->len;
        }
    }
    KERNEL(close, directory);
    return well;
}
