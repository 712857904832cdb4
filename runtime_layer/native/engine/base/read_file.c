/* Tests: tests/integration/engine/test_handler.py. */
#include "read_file.h"

#include "raw_syscall.h"

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
