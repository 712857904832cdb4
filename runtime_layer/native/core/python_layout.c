#include "python_layout.h"

/* _Py_DebugOffsets begins with these. */
enum { COOKIE_WORD = 0, VERSION_WORD = 1, FREE_THREADED_WORD = 2 };
enum { LONGEST_OFFSET = 1 << 14 };

#define OFFSETS_3_11(name, v3_11, v3_12, v3_13, v3_14) [name] = v3_11,
#define OFFSETS_3_12(name, v3_11, v3_12, v3_13, v3_14) [name] = v3_12,
#define WORDS_3_13(name, v3_11, v3_12, v3_13, v3_14) [name] = v3_13,
#define WORDS_3_14(name, v3_11, v3_12, v3_13, v3_14) [name] = v3_14,

static const struct python_layout offsets_3_11 = {{PYTHON_FIELDS(OFFSETS_3_11)}};
static const struct python_layout offsets_3_12 = {{PYTHON_FIELDS(OFFSETS_3_12)}};
static const uint16_t words_3_13[PYTHON_FIELD_COUNT] = {PYTHON_FIELDS(WORDS_3_13)};
static const uint16_t words_3_14[PYTHON_FIELD_COUNT] = {PYTHON_FIELDS(WORDS_3_14)};

bool python_layout_of(uint32_t version, struct python_layout *out)
{
    if (version != 0x30b && version != 0x30c)
        return false;
    *out = version == 0x30b ? offsets_3_11 : offsets_3_12;
    return true;
}

bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out)
{
    uint64_t version = words[VERSION_WORD] >> 16;
    if (!same_bytes(&words[COOKIE_WORD], "xdebugpy", 8) || words[FREE_THREADED_WORD] ||
        (version != 0x30d && version != 0x30e))
        return false;
    const uint16_t *places = version == 0x30d ? words_3_13 : words_3_14;
    for (uint32_t i = 0; i < PYTHON_FIELD_COUNT; i++) {
        uint64_t said = places[i] == NO_OFFSET ? NO_OFFSET : words[places[i]];
        if (places[i] != NO_OFFSET && said > LONGEST_OFFSET)
            return false;
        out->offset[i] = (uint16_t)said;
    }
    out->offset[STR_OTHER_START] = out->offset[STR_ASCII_START] + 16;
    return true;
}
