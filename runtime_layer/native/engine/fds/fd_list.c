/* Tests: tests/integration/engine/test_kernel_limits.py. */
#include "fd_list.h"

#include "../../core/text.h"
#include "../base/procfs.h"
#include "../base/read_file.h"

struct descriptors {
    bool (*is_wanted)(int32_t descriptor);
    bool is_any, is_found;
};

static bool visit(void *context, struct text name)
{
    struct descriptors *all = context;
    uint32_t number;
    if (!text_number(name, INT32_MAX, &number))
        return true;
    all->is_any = true;
    all->is_found = all->is_found || all->is_wanted((int32_t)number);
    return true;
}

/* The list has at least the descriptor that reads it. */
enum list_result for_each_descriptor(bool (*each)(int32_t descriptor))
{
    char entries[1024];
    struct descriptors all = {.is_wanted = each};
    bool is_whole = each_entry("/proc/self/fd", entries, sizeof entries, visit, &all);
    return all.is_found ? ONE_OF_THEM : is_whole && all.is_any ? NONE_OF_THEM : NOT_LISTED;
}

#define RING TEXT("anon_inode:[io_uring]")

static bool is_ring(int32_t descriptor)
{
    char path[64], target[64];
    struct writer w = {path, 0, sizeof path, false};
    put_words(&w, "/proc/self/fd/");
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
