/* The directory of a zip archive; see zip.h. Numbers are little-endian. */
#include "zip.h"

enum {
    END_SIZE = 22,
    END_SIZE_OF_DIRECTORY = 12,
    END_COMMENT_LEN = 20,
    COMMENT_MAX = 65535,
    ENTRY_SIZE = 46,
    ENTRY_NAME_LEN = 28,
    ENTRY_EXTRA_LEN = 30,
    ENTRY_COMMENT_LEN = 32,
};
static const uint32_t END_SIGNATURE = 0x06054b50, ENTRY_SIGNATURE = 0x02014b50;

static uint32_t two(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t four(const unsigned char *at)
{
    return two(at) | two(at + 2) << 16;
}

/* Where the record at the end begins: a comment follows it, which may look like one. UINT64_MAX: nowhere. */
static uint64_t find_end(const unsigned char *archive, uint64_t size)
{
    for (uint64_t len = END_SIZE; len <= size && len <= END_SIZE + COMMENT_MAX; len++)
        if (four(archive + size - len) == END_SIGNATURE &&
            two(archive + size - len + END_COMMENT_LEN) == len - END_SIZE)
            return size - len;
    return UINT64_MAX;
}

bool zip_holds(const unsigned char *archive, uint64_t size, struct text name)
{
    uint64_t end = find_end(archive, size);
    if (end == UINT64_MAX)
        return false;
    /* The directory lies right before its end record; its offset may count from elsewhere (an archive with a program
     * in front). Its size is the truth unless the archive is larger than a function can be. */
    uint64_t directory_size = four(archive + end + END_SIZE_OF_DIRECTORY);
    uint64_t at = directory_size <= end ? end - directory_size : 0;
    while (end - at >= ENTRY_SIZE && four(archive + at) == ENTRY_SIGNATURE) {
        const unsigned char *entry = archive + at;
        uint32_t len = two(entry + ENTRY_NAME_LEN);
        if (end - at - ENTRY_SIZE < len)
            return false;
        if (text_equal((struct text){(const char *)entry + ENTRY_SIZE, len}, name))
            return true;
        uint64_t next =
            (uint64_t)ENTRY_SIZE + len + two(entry + ENTRY_EXTRA_LEN) + two(entry + ENTRY_COMMENT_LEN);
        if (end - at < next)
            return false;
        at += next;
    }
    return false;
}
