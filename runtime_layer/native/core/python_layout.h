/* The layout of CPython's frames and threads, by version.
 *
 * The offsets of 3.11 and 3.12 are from their internal headers. From 3.13 on, _Py_DebugOffsets at the start of _PyRuntime
 * holds the offsets. Its layout differs between minor versions, so the table has the index of each offset's word. A version
 * without a row, and a build without the GIL, have no layout.
 */
#ifndef SHIELD_PYTHON_LAYOUT_H
#define SHIELD_PYTHON_LAYOUT_H

#include "text.h"

enum { NO_OFFSET = 0xffff, PYTHON_WORDS = 93 };

enum python_field {
    RUNTIME_INTERPRETERS,
    INTERPRETER_NEXT,
    INTERPRETER_THREADS,
    THREAD_NEXT,
    THREAD_ID,
    THREAD_NATIVE_ID,
    THREAD_FRAME,  /* the frame, or the _PyCFrame that points to it */
    C_FRAME_FRAME, /* the frame in a _PyCFrame; NO_OFFSET: there is none */
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
/* From the first words of a _PyRuntime that has its offsets. False also when they are impossible. */
bool python_layout_from(const uint64_t words[PYTHON_WORDS], struct python_layout *out);

#endif
