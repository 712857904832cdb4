/* Tests: tests/integration/engine/test_kernel_limits.py. */
#include "fd_list.h"

#include "../../core/text.h"
#include "../base/procfs.h"
#include "../base/raw_syscall.h"

/* struct linux_dirent64 (getdents(2)). */
enum { ENTRY_LENGTH = 16, ENTRY_NAME = 19 };

enum list_result for_each_descriptor(bool (*each)(int32_t descriptor))
{
    char entries[1024];
    int64_t directory = KERNEL(openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int64_t n = 1;
    bool found = false;
    if (is_error(directory))
        return NOT_LISTED;
    while (!found && (n = KERNEL(getdents64, directory, entries, sizeof entries)) > 0) {
        for (int64_t at = 0; at < n && !found;) {
            uint16_t length;
            uint32_t number;
            copy_bytes(&length, entries + at + ENTRY_LENGTH, sizeof length);
            if (text_number(text_of(entries + at + ENTRY_NAME), INT32_MAX, &number))
                found = each((int32_t)number);
            at += length;
        }
    }
    KERNEL(close, directory);
    return found ? ONE_OF_THEM : n < 0 ? NOT_LISTED : NONE_OF_THEM;
}

#define RING TEXT("anon_inode:[io_uring]")

static bool is_ring(int32_t descriptor)
{
    char path[64], target[64];
    struct writer w = {path, 0, sizeof path, false};
    put(&w, TEXT("/proc/self/fd/"));
    put_number(&w, (uint32_t)descriptor);
    put_char(&w, 0);
    int64_t n = KERNEL(readlinkat, AT_FDCWD, path, target, sizeof target);
    return n > 0 && text_equal((struct text){target, (uint32_t)n}, RING);
}

static bool maps_ring(void *has_ring, const struct mapping *m)
{
    return *(bool *)has_ring = text_equal(m->path, RING);
}

bool has_io_uring(void)
{
    char buffer[PAGE];
    bool has_ring = for_each_descriptor(is_ring) != NONE_OF_THEM;
    if (!has_ring)
        each_mapping(buffer, sizeof buffer, maps_ring, &has_ring);
    return has_ring;
}
