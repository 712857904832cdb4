/* Reading and writing the caller's memory: what cannot be done is said, never done, and what is done is exact. Input:
 * the memory's first bytes, then one access after another. The probes are real system calls. */
#include "arena.h"

#include "../../../runtime_layer/native/engine/base/user_memory.h"

enum { MOST = 2 * PAGE + 64 };

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    return kernel_real(nr, a, b, c, d, e, f);
}

static void read_some(uint64_t address, uint64_t n)
{
    uint8_t *to = room_take(n ? n : 1, 1);
    bool expected = arena_allows(address, n, false);
    CHECK(read_user(to, address, n) == expected);
    CHECK(!expected || !n || !memcmp(to, (void *)address, n));
    room_give(to);
}

static void read_string(uint64_t address, uint64_t cap)
{
    char *to = room_take(cap ? cap : 1, 1);
    int64_t expected = -ENAMETOOLONG;
    for (uint64_t i = 0; i < cap && expected == -ENAMETOOLONG; i++) {
        if (!arena_allows(address + i, 1, false))
            expected = -EFAULT;
        else if (*(const char *)(address + i) == 0)
            expected = (int64_t)i;
    }
    CHECK(read_user_string(to, address, cap) == expected);
    CHECK(expected < 0 || !strcmp(to, (const char *)address));
    room_give(to);
}

static void write_some(uint64_t address, uint64_t n, uint8_t byte)
{
    uint8_t *from = room_take(n ? n : 1, 1);
    memset(from, byte, n);
    bool expected = arena_allows(address, n, true);
    CHECK(write_user(address, from, n) == expected);
    CHECK(!expected || !n || !memcmp((void *)address, from, n));
    room_give(from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    trust_pages(NULL);
    arena_make();
    arena_clear();
    struct text start = take_text(&in, take_number(&in, 1));
    for (uint64_t at = PAGE; at + start.len < 3 * PAGE && start.len; at += start.len)
        arena_put((uint64_t)arena + at, start.at, start.len);
    while (in.left) {
        uint64_t what = take_number(&in, 1), address = take_pointer(&in);
        uint64_t n = take_number(&in, 2) % MOST;
        switch (what % 4) {
        case 0: read_some(address, n); break;
        case 1: read_string(address, n); break;
        case 3: trust_pages(n % 2 ? &in : NULL); break; /* the arena stays as it is, whatever this says */
        default: write_some(address, n, (uint8_t)what);
        }
    }
    struct scratch *scratches[20];
    for (uint32_t i = 0; i < 20; i++)
        CHECK((scratches[i] = scratch_take()));
    for (uint32_t i = 0; i < 20; i++)
        scratch_give(scratches[i]);
    return 0;
}
