/* /proc/self/maps: whatever it says and in whatever pieces it is read, each line is taken once or not at all. Input:
 * the size of a piece (one byte), the text. */
#include "kernel_fake.h"

#include "fuzz.h"

#include "../../../runtime_layer/native/engine/base/procfs.h"

enum { BUFFER = 512, FILE_DESCRIPTOR = 7 };

static const uint8_t *content;
static uint64_t left, piece;
static bool open_now;

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)d, (void)e, (void)f;
    switch (nr) {
    case __NR_openat: open_now = true; return FILE_DESCRIPTOR;
    case __NR_close:
        CHECK(open_now && a == FILE_DESCRIPTOR);
        open_now = false;
        return 0;
    default: CHECK(nr == __NR_read && open_now && a == FILE_DESCRIPTOR);
    }
    uint64_t n = c < piece ? c : piece;
    n = n < left ? n : left;
    CHECK(c && n <= c);
    memcpy((void *)b, content, n);
    content += n;
    left -= n;
    return (int64_t)n;
}

struct listing {
    const char *buffer;
    uint32_t lines;
    uint64_t sum; /* of all that was said, in its order */
};

static bool add(void *context, const struct mapping *m)
{
    struct listing *l = context;
    const uint64_t facts[] = {m->low, m->high, m->offset, m->executable, m->writable, m->ino, m->path.len};
    if (m->path.len) {
        CHECK(m->path.at >= l->buffer && m->path.at + m->path.len <= l->buffer + BUFFER);
        CHECK(!memchr(m->path.at, '\n', m->path.len));
    }
    for (uint32_t i = 0; i < sizeof facts / sizeof *facts; i++)
        l->sum = (l->sum ^ facts[i]) * 0x100000001b3u;
    for (uint32_t i = 0; i < m->path.len; i++)
        l->sum = (l->sum ^ (uint8_t)m->path.at[i]) * 0x100000001b3u;
    l->lines++;
    return false;
}

static struct listing read_in_pieces(const struct input *in, uint64_t size, bool *whole)
{
    char *buffer = room_take(BUFFER, 1);
    struct listing l = {buffer, 0, 0};
    content = in->at;
    left = in->left;
    piece = size;
    *whole = each_mapping(buffer, BUFFER, add, &l);
    CHECK(!open_now);
    room_give(buffer);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    bool whole, other;
    uint64_t small = take_number(&in, 1) + 1;
    struct listing at_once = read_in_pieces(&in, BUFFER, &whole);
    struct listing in_pieces = read_in_pieces(&in, small, &other);
    CHECK(whole == other && at_once.lines == in_pieces.lines && at_once.sum == in_pieces.sum);
    uint32_t newlines = 0, longest = 0, run = 0;
    for (size_t i = 0; i < in.left; i++) {
        newlines += in.at[i] == '\n';
        run = in.at[i] == '\n' ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    CHECK(at_once.lines <= newlines);
    CHECK(whole == (longest < BUFFER));
    return 0;
}
