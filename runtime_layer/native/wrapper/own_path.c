/* Reads /proc/self/exe, which is the running program under any name (proc(5)).
 * Tests: tests/integration/launcher/test_refusals.py. */
#define _GNU_SOURCE
#include "own_path.h"

#include "refusal_report.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool library_path(char *to, size_t cap, struct writer *error)
{
    ssize_t n = readlink(SELF, to, cap);
    if (n < 0) {
        put_words(error, "cannot find the path of shield itself: ");
        return refuse_path_by(error, SELF, "", errno);
    }
    size_t used = (size_t)n;
    while (used > 0 && to[used - 1] != '/')
        used--;
    if (used == 0 || used + sizeof LIBRARY > cap)
        return refuse(error, "the path of shield itself is too long");
    memcpy(to + used, LIBRARY, sizeof LIBRARY);
    /* Blanks and colons separate the entries of a preload and cannot be escaped (ld.so(8)). */
    return !strpbrk(to, " :") ||
           refuse_path(error, to, " has a blank or a colon in its path, which no preload can name");
}

bool is_self(const char *path)
{
    struct stat self, other;
    return stat(SELF, &self) == 0 && stat(path, &other) == 0 && self.st_dev == other.st_dev &&
           self.st_ino == other.st_ino;
}
