/* Searches the directory of a zip archive; see zip.h. Numbers are little-endian. Tests: tests/unit/core/test_zip.py. */
#include "zip.h"

enum {
    END_SIZE = 22,
    END_SIZE_OF_DIRECTORY = 12,
    END_COMMENT_LEN = 20,
    COMMENT_MAX = 65535,
    LOCATOR_SIZE = 20, /* of ZIP64: right before the end record, with its own, larger one in front */
    LARGE_END_SIZE = 56,
    LARGE_END_SIZE_OF_DIRECTORY = 40,
    ENTRY_SIZE = 46,
    ENTRY_NAME_LEN = 28,
    ENTRY_EXTRA_LEN = 30,
    ENTRY_COMMENT_LEN = 32,
};
static const uint32_t END_SIGNATURE = 0x06054b50, ENTRY_SIGNATURE = 0x02014b50,
                      LOCATOR_SIGNATURE = 0x07064b50, LARGE_END_SIGNATURE = 0x06064b50;

static uint32_t read_two(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_four(const unsigned char *at)
{
    return read_two(at) | read_two(at + 2) << 16;
}

/* The offset of the end record; the comment behind it may look like another. UINT64_MAX: there is none. */
static uint64_t find_end(const unsigned char *archive, uint64_t size)
{
    for (uint64_t len = END_SIZE; len <= size && len <= END_SIZE + COMMENT_MAX; len++)
        if (read_four(archive + size - len) == END_SIGNATURE &&
            read_two(archive + size - len + END_COMMENT_LEN) == len - END_SIZE)
            return size - len;
    return UINT64_MAX;
}

/* The directory lies right before its end record; the recorded offset may count from elsewhere (an archive with a program in
 * front). The recorded size is right, unless the archive is larger than a function can be. */
struct directory {
    uint64_t at, end;
};

static struct directory find_directory(const unsigned char *archive, uint64_t end)
{
    const uint64_t both = LOCATOR_SIZE + LARGE_END_SIZE;
    uint64_t size = read_four(archive + end + END_SIZE_OF_DIRECTORY);
    if (end >= both && read_four(archive + end - LOCATOR_SIZE) == LOCATOR_SIGNATURE &&
        read_four(archive + end - both) == LARGE_END_SIGNATURE) {
        end -= both;
        size = read_four(archive + end + LARGE_END_SIZE_OF_DIRECTORY);
    }
    return (struct directory){size <= end ? end - size : 0, end};
}

bool zip_holds(const unsigned char *archive, uint64_t size, struct text name)
{
    uint64_t last = find_end(archive, size);
    if (last == UINT64_MAX)
        return false;
    struct directory directory = find_directory(archive, last);
    uint64_t at = directory.at, end = directory.end;
    while (end - at >= ENTRY_SIZE && read_four(archive + at) == ENTRY_SIGNATURE) {
        const unsigned char *entry = archive + at;
        uint32_t len = read_two(entry + ENTRY_NAME_LEN);
        if (end - at - ENTRY_SIZE < len)
            return false;
        if (text_equal((struct text){(const char *)entry + ENTRY_SIZE, len}, name))
            return true;
        uint64_t next = (uint64_t)ENTRY_SIZE + len + read_two(entry + ENTRY_EXTRA_LEN) +
                        read_two(entry + ENTRY_COMMENT_LEN);
        if (end - at < next)
            return false;
        at += next;
    }
    return false;
}
