/* The layout of CPython's frames and threads, by version.
 *
 * 3.11 and 3.12: from their internal headers. From 3.13 on, the interpreter has the offsets itself, in the _Py_DebugOffsets at
 * the start of _PyRuntime, whose own layout differs with each minor version: the table has the word of each offset. A version
 * without a row, and a build without the GIL, give no answer.
 */
#ifndef SHIELD_PYTHON_LAYOUT_H
#define SHIELD_PYTHON_LAYOUT_H

#include "text.h"

enum { NO_OFFSET = 0xffff, PYTHON_WORDS = 81 };

enum python_field {
    RUNTIME_INTERPRETERS,
    INTERPRETER_NEXT,
    INTERPRETER_THREADS,
    THREAD_NEXT,
    THREAD_ID,
    THREAD_NATIVE_ID,
    THREAD_FRAME,  /* the frame, or the _PyCFrame that leads to it */
    C_FRAME_FRAME, /* in that: NO_OFFSET where there is none */
    FRAME_CODE,
    FRAME_INSTRUCTION,
    FRAME_PREVIOUS,
    FRAME_OWNER,
    CODE_FILE,
    CODE_FUNCTION, /* the qualified name */
    CODE_LINES,
    CODE_FIRST_LINE,
    CODE_FLAGS, /* whether it is a coroutine's */
    CODE_START,
    OBJECT_TYPE,
    BYTES_SIZE,
    BYTES_START,
    STR_LENGTH,
    STR_STATE,
    STR_ASCII_START,
    STR_OTHER_START,
    PYTHON_FIELD_COUNT
};

struct python_layout {
    uint16_t offset[PYTHON_FIELD_COUNT];
};

/* `version`: major << 8 | minor. */
bool python_layout_of(uint32_t version, struct python_layout *out);
/* From a _PyRuntime with its offsets: `words` are its first. False as well when they are impossible. */
bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out);

#endif
