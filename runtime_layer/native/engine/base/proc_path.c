/* Tests: tests/lab/fuzz/paths.c. */
#include "proc_path.h"

#include "raw_syscall.h"

static bool put_terminated(struct writer *w)
{
    put_char(w, 0);
    return !w->full;
}

bool path_through(int32_t descriptor, struct text name, char *buffer, uint32_t cap)
{
    struct writer w = {buffer, 0, cap, false};
    put(&w, TEXT("/proc/thread-self/fd/")); /* a thread may have its own table */
    put_number(&w, (uint32_t)descriptor);
    if (name.len) {
        put_char(&w, '/');
        put(&w, name);
    }
    return put_terminated(&w);
}

struct text path_of(int32_t descriptor, char *buffer, uint32_t cap)
{
    char link[40];
    if (!path_through(descriptor, TEXT(""), link, sizeof link))
        return TEXT("");
    int64_t n = KERNEL(readlinkat, AT_FDCWD, link, buffer, cap);
    return n <= 0 ? TEXT("") : (struct text){buffer, (uint32_t)n};
}
