/* Another thread can change the bytes after the read. Tests: tests/lab/fuzz/frames.c. */
#include "memory_reader.h"

#include "../../core/text.h"
#include "user_memory.h"

#if defined(__x86_64__)
enum { ADDRESS_BITS = 47 };
#else
enum { ADDRESS_BITS = 48 };
#endif
enum { NOT_TRIED = -1, NOT_THERE = -2 };

void reader_begin(struct memory_reader *r, bool shared)
{
    fill_bytes(r, 0, sizeof *r);
    r->file = NOT_TRIED;
    r->shared = shared;
}

void reader_end(struct memory_reader *r)
{
    if (r->file >= 0)
        KERNEL(close, r->file);
}

static bool is_address(uint64_t from, uint64_t n)
{
    return from >= PAGE && from < 1ull << ADDRESS_BITS && n && n <= PAGE;
}

static bool answers(struct memory_reader *r, uint64_t page)
{
    for (uint32_t i = 0; i < READER_PAGES; i++)
        if (r->pages[i] == page)
            return true;
    if (!readable(page))
        return false;
    r->pages[r->next++ % READER_PAGES] = page;
    return true;
}

bool reader_read(struct memory_reader *r, void *to, uint64_t from, uint64_t n)
{
    if (!is_address(from, n))
        return false;
    for (uint64_t page = page_down(from); page < from + n; page += PAGE)
        if (!answers(r, page))
            return false;
    copy_bytes(to, (const void *)from, n);
    return true;
}

uint64_t reader_word(struct memory_reader *r, uint64_t at)
{
    uint64_t value = 0;
    return reader_read(r, &value, at, sizeof value) ? value : 0;
}

bool reader_copy(struct memory_reader *r, void *to, uint64_t from, uint64_t n)
{
    if (r->shared && r->file == NOT_TRIED) {
        int64_t file = KERNEL(openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0);
        r->file = is_error(file) ? NOT_THERE : (int32_t)file;
    }
    if (r->file < 0)
        return reader_read(r, to, from, n);
    return is_address(from, n) && KERNEL(pread64, r->file, to, n, from) == (int64_t)n;
}
