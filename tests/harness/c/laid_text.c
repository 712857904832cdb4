/* A signal handler in the midst of an madvise maps a library's text where that is about to fall: the text would come
 * back as it is in the file, and its own system calls would go past the gate.
 *
 *   laid_text LIBRARY REFUSED     LIBRARY is inline.c, whose call opens REFUSED
 */
#include "midst.h"
#include <dlfcn.h>

enum { CODE = 32, CALLS = 300 };
static char *where;
static size_t length;
static off_t offset;
static int library;
static volatile int mapped;

static void map_text(int signal)
{
    (void)signal;
    if (mapped)
        return;
    void *at = mmap(where, length, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, library, offset);
    mapped = at == where;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    void *loaded = dlopen(argv[1], RTLD_NOW);
    char *function = loaded ? dlsym(loaded, "inline_open") : NULL, in_file[CODE];
    struct place text = find_mapping("", "r-xp", (unsigned long)function);
    where = (char *)text.low;
    length = text.high - text.low;
    offset = (off_t)text.offset;
    size_t inside = (size_t)(function - where);
    library = open(argv[1], O_RDONLY);
    if (!function || pread(library, in_file, CODE, offset + (off_t)inside) != CODE)
        return 2;
    where = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGALRM, map_text);
    int got = 0, tries = 0;
    for (double end = now() + SECONDS; now() < end && !got;) {
        mapped = 0;
        if (mmap(where, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != where)
            return 3;
        soon(30);
        for (int i = 0; i < CALLS && !mapped; i++)
            madvise(where, length, MADV_DONTNEED);
        tries += mapped;
        if (mapped && !memcmp(in_file, where + inside, CODE))
            got += has_content((int)((long (*)(const char *))(where + inside))(argv[2]));
        munmap(where, length);
    }
    return print(got, tries);
}
