/* A main for compilers without libFuzzer: runs each file that it is given through the target once. The input ends at
 * the end of a page before one that may not be touched, as not every compiler brings AddressSanitizer. A list of
 * files comes on standard input, one a line; each is named before it is run, so that a crash tells which it was. */
#include "fuzz.h"

#include <sys/mman.h>

enum { PAGE_BYTES = 4096, MOST = 64 * PAGE_BYTES };

/* Each piece has pages of its own, the last of which may not be touched. */
static struct {
    uint8_t *room, *pages;
    size_t len;
} pieces[64];

void *room_take(size_t n, size_t alignment)
{
    size_t usable = (n + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES, len = usable + PAGE_BYTES;
    uint8_t *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t i = 0;
    CHECK(pages != MAP_FAILED && !mprotect(pages + usable, PAGE_BYTES, PROT_NONE));
    while (pieces[i].room)
        CHECK(++i < sizeof pieces / sizeof *pieces);
    pieces[i].room = pages + (usable - n) / alignment * alignment;
    pieces[i].pages = pages;
    pieces[i].len = len;
    return pieces[i].room;
}

void room_give(void *room)
{
    uint32_t i = 0;
    while (pieces[i].room != room)
        CHECK(++i < sizeof pieces / sizeof *pieces);
    CHECK(!munmap(pieces[i].pages, pieces[i].len));
    pieces[i].room = NULL;
}

static void run(const char *path, uint8_t *edge)
{
    static uint8_t content[MOST];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    size_t n = fread(content, 1, sizeof content, file);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    memcpy(edge - n, content, n);
    LLVMFuzzerTestOneInput(edge - n, n);
}

int main(void)
{
    char path[PAGE_BYTES];
    uint8_t *room = mmap(NULL, MOST + PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || mprotect(room + MOST, PAGE_BYTES, PROT_NONE))
        return 2;
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = 0;
        run(path, room + MOST);
    }
    return 0;
}
