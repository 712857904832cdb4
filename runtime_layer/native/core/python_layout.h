/* Where CPython keeps what its stack says, by version.
 *
 * 3.11 and 3.12: from their internal headers. From 3.13 on, the interpreter carries the offsets itself, in the
 * _Py_DebugOffsets at the start of _PyRuntime, which differ with each minor version: which word says what is in the table.
 * A version without a row, and a build without the GIL, give no answer.
 */
#ifndef SHIELD_PYTHON_LAYOUT_H
#define SHIELD_PYTHON_LAYOUT_H

#include "text.h"

enum { NO_OFFSET = 0xffff, PYTHON_WORDS = 81 };

/* X(field, its offset in 3.11, in 3.12, the word of 3.13, of 3.14 that says it) */
#define PYTHON_FIELDS(X)                                                                                     \
    X(RUNTIME_INTERPRETERS, 40, 40, 5, 5)                                                                    \
    X(INTERPRETER_NEXT, 0, 0, 8, 8)                                                                          \
    X(INTERPRETER_THREADS, 16, 72, 9, 9)                                                                     \
    X(THREAD_NEXT, 8, 8, 21, 24)                                                                             \
    X(THREAD_ID, 152, 136, 24, 27)                                                                           \
    X(THREAD_NATIVE_ID, 160, 144, 25, 28)                                                                    \
    X(THREAD_FRAME, 56, 56, 23, 26)              /* of the frame, or of the _PyCFrame that leads to it */    \
    X(C_FRAME_FRAME, 8, 0, NO_OFFSET, NO_OFFSET) /* in that: 3.13 has none */                                \
    X(FRAME_CODE, 32, 0, 30, 33)                                                                             \
    X(FRAME_INSTRUCTION, 56, 56, 31, 34)                                                                     \
    X(FRAME_PREVIOUS, 48, 8, 29, 32)                                                                         \
    X(FRAME_OWNER, 69, 70, 33, 36)                                                                           \
    X(CODE_FILE, 112, 112, 35, 40)                                                                           \
    X(CODE_FUNCTION, 128, 128, 37, 42)                                                                       \
    X(CODE_LINES, 136, 136, 38, 43)                                                                          \
    X(CODE_FIRST_LINE, 72, 68, 39, 44)                                                                       \
    X(CODE_START, 184, 192, 43, 48)                                                                          \
    X(OBJECT_TYPE, 8, 8, 45, 51)                                                                             \
    X(BYTES_SIZE, 16, 16, 65, 75)                                                                            \
    X(BYTES_START, 32, 32, 66, 76)                                                                           \
    X(STR_LENGTH, 16, 16, 69, 79)                                                                            \
    X(STR_STATE, 32, 32, 68, 78)                                                                             \
    X(STR_ASCII_START, 48, 40, 70, 80)                                                                       \
    X(STR_OTHER_START, 72, 56, NO_OFFSET, NO_OFFSET) /* 3.13: behind a pointer and a length */

#define PYTHON_FIELD_NAME(name, ...) name,
enum python_field { PYTHON_FIELDS(PYTHON_FIELD_NAME) PYTHON_FIELD_COUNT };
#undef PYTHON_FIELD_NAME

struct python_layout {
    uint16_t offset[PYTHON_FIELD_COUNT];
};

/* `version`: major << 8 | minor. */
bool python_layout_of(uint32_t version, struct python_layout *out);
/* Of a _PyRuntime that says its offsets: `words` are its first. False as well when what it says cannot be. */
bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out);

#endif
