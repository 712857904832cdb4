/* Tests: tests/lab/refused_calls/test_refused_calls.py. */
#include "page_size.h"

/* madvise(2) fails with EINVAL for an address that does not begin a page. */
bool is_page_size_supported(void)
{
    int64_t pages = KERNEL(mmap, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(pages))
        return false;
    bool ours = !is_error(KERNEL(madvise, pages + PAGE, PAGE, MADV_NORMAL));
    KERNEL(munmap, pages, 2 * PAGE);
    return ours;
}
