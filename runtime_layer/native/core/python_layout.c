/* The offsets in the objects of CPython; see python_layout.h. Tests: tests/unit/core/test_python_objects.py. */
#include "python_layout.h"

/* _Py_DebugOffsets begins with these. */
enum { COOKIE_WORD = 0, VERSION_WORD = 1, FREE_THREADED_WORD = 2 };
enum { LONGEST_OFFSET = 1 << 14 };
/* Versions, as PY_VERSION_HEX begins. From FIRST_THAT_SAYS on, _Py_DebugOffsets says the offsets. */
enum { FIRST = 0x30b, FIRST_THAT_SAYS = 0x30d, LAST = 0x30f, NONE = NO_OFFSET };

/* Offsets in 3.11 and 3.12, then the indexes of the words in the _Py_DebugOffsets of 3.13, 3.14 and 3.15. Two offsets have no
 * word: CODE_FLAGS are four numbers and itself before the first line, STR_OTHER_START is behind a length and a pointer. */
static const uint16_t rows[PYTHON_FIELD_COUNT][LAST - FIRST + 1] = {
    [RUNTIME_INTERPRETERS] = {40, 40, 5, 5, 5},
    [INTERPRETER_NEXT] = {0, 0, 8, 8, 8},
    [INTERPRETER_THREADS] = {16, 72, 9, 9, 9},
    [THREAD_NEXT] = {8, 8, 21, 24, 24},
    [THREAD_ID] = {152, 136, 24, 27, 30},
    [THREAD_NATIVE_ID] = {160, 144, 25, 28, 31},
    [THREAD_FRAME] = {56, 56, 23, 26, 26},
    [C_FRAME_FRAME] = {8, 0, NONE, NONE, NONE},
    [FRAME_CODE] = {32, 0, 30, 33, 41},
    [FRAME_INSTRUCTION] = {56, 56, 31, 34, 42},
    [FRAME_PREVIOUS] = {48, 8, 29, 32, 40},
    [FRAME_OWNER] = {69, 70, 33, 36, 44},
    [CODE_FILE] = {112, 112, 35, 40, 48},
    [CODE_FUNCTION] = {128, 128, 37, 42, 50},
    [CODE_LINES] = {136, 136, 38, 43, 51},
    [CODE_FIRST_LINE] = {72, 68, 39, 44, 52},
    [CODE_FLAGS] = {48, 48, NONE, NONE, NONE},
    [CODE_START] = {184, 192, 43, 48, 56},
    [OBJECT_TYPE] = {8, 8, 45, 51, 59},
    [BYTES_SIZE] = {16, 16, 65, 75, 87},
    [BYTES_START] = {32, 32, 66, 76, 88},
    [STR_LENGTH] = {16, 16, 69, 79, 91},
    [STR_STATE] = {32, 32, 68, 78, 90},
    [STR_ASCII_START] = {48, 40, 70, 80, 92},
    [STR_OTHER_START] = {72, 56, NONE, NONE, NONE},
};

bool python_layout_of(uint32_t version, struct python_layout *out)
{
    if (version < FIRST || version >= FIRST_THAT_SAYS)
        return false;
    for (uint32_t i = 0; i < PYTHON_FIELD_COUNT; i++)
        out->offset[i] = rows[i][version - FIRST];
    return true;
}

bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out)
{
    uint64_t version = words[VERSION_WORD] >> 16;
    if (!same_bytes(&words[COOKIE_WORD], "xdebugpy", 8) || words[FREE_THREADED_WORD] ||
        version < FIRST_THAT_SAYS || version > LAST)
        return false;
    for (uint32_t i = 0; i < PYTHON_FIELD_COUNT; i++) {
        uint16_t word = rows[i][version - FIRST];
        uint64_t said = word == NONE ? NONE : words[word];
        if (word != NONE && said > LONGEST_OFFSET)
            return false;
        out->offset[i] = (uint16_t)said;
    }
    out->offset[CODE_FLAGS] = out->offset[CODE_FIRST_LINE] - 20;
    out->offset[STR_OTHER_START] = out->offset[STR_ASCII_START] + 16;
    return true;
}
