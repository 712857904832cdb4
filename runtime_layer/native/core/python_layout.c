#include "python_layout.h"

/* _Py_DebugOffsets begins with these. */
enum { COOKIE_WORD = 0, VERSION_WORD = 1, FREE_THREADED_WORD = 2 };
enum { LONGEST_OFFSET = 1 << 14 };

/* The offsets in 3.11 and 3.12, and the indexes of 3.13's and 3.14's words in _Py_DebugOffsets. */
struct row {
    uint16_t v3_11, v3_12, word_3_13, word_3_14;
};
enum { NONE = NO_OFFSET };

static const struct row rows[PYTHON_FIELD_COUNT] = {
    [RUNTIME_INTERPRETERS] = {40, 40, 5, 5},
    [INTERPRETER_NEXT] = {0, 0, 8, 8},
    [INTERPRETER_THREADS] = {16, 72, 9, 9},
    [THREAD_NEXT] = {8, 8, 21, 24},
    [THREAD_ID] = {152, 136, 24, 27},
    [THREAD_NATIVE_ID] = {160, 144, 25, 28},
    [THREAD_FRAME] = {56, 56, 23, 26},
    [C_FRAME_FRAME] = {8, 0, NONE, NONE},
    [FRAME_CODE] = {32, 0, 30, 33},
    [FRAME_INSTRUCTION] = {56, 56, 31, 34},
    [FRAME_PREVIOUS] = {48, 8, 29, 32},
    [FRAME_OWNER] = {69, 70, 33, 36},
    [CODE_FILE] = {112, 112, 35, 40},
    [CODE_FUNCTION] = {128, 128, 37, 42},
    [CODE_LINES] = {136, 136, 38, 43},
    [CODE_FIRST_LINE] = {72, 68, 39, 44},
    [CODE_FLAGS] = {48, 48, NONE, NONE}, /* 3.13: four numbers and itself in front of the first line */
    [CODE_START] = {184, 192, 43, 48},
    [OBJECT_TYPE] = {8, 8, 45, 51},
    [BYTES_SIZE] = {16, 16, 65, 75},
    [BYTES_START] = {32, 32, 66, 76},
    [STR_LENGTH] = {16, 16, 69, 79},
    [STR_STATE] = {32, 32, 68, 78},
    [STR_ASCII_START] = {48, 40, 70, 80},
    [STR_OTHER_START] = {72, 56, NONE, NONE}, /* 3.13: behind a length and a pointer */
};

bool python_layout_of(uint32_t version, struct python_layout *out)
{
    if (version != 0x30b && version != 0x30c)
        return false;
    for (uint32_t i = 0; i < PYTHON_FIELD_COUNT; i++)
        out->offset[i] = version == 0x30b ? rows[i].v3_11 : rows[i].v3_12;
    return true;
}

bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out)
{
    uint64_t version = words[VERSION_WORD] >> 16;
    if (!same_bytes(&words[COOKIE_WORD], "xdebugpy", 8) || words[FREE_THREADED_WORD] ||
        (version != 0x30d && version != 0x30e))
        return false;
    for (uint32_t i = 0; i < PYTHON_FIELD_COUNT; i++) {
        uint16_t word = version == 0x30d ? rows[i].word_3_13 : rows[i].word_3_14;
        uint64_t said = word == NONE ? NONE : words[word];
        if (word != NONE && said > LONGEST_OFFSET)
            return false;
        out->offset[i] = (uint16_t)said;
    }
    out->offset[CODE_FLAGS] = out->offset[CODE_FIRST_LINE] - 20;
    out->offset[STR_OTHER_START] = out->offset[STR_ASCII_START] + 16;
    return true;
}
