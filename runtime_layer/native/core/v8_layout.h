/* Where V8 keeps what its stack says, by version: a line of Node.js has one version of V8 for life, built without compressed
 * pointers, so offsets and numbers of types are the same in all its builds (node exports most of them for debuggers, v8dbg_*; the
 * others are from V8's headers). A version without a row gives no answer. */
#ifndef SHIELD_V8_LAYOUT_H
#define SHIELD_V8_LAYOUT_H

#include "text.h"

/* The same in all of them. Offsets are from the address of an object, not from the pointer to it, which is one more. */
enum {
    TYPE_OF_MAP = 12,
    ARRAY_LENGTH = 8,
    ARRAY_START = 16,
    SHARED_CODE = 8,
    CODE_BYTECODE = 8,
    CODE_PLACES = 16, /* of Sparkplug's code: how long each bytecode's machine code is */
    BYTECODE_LENGTH = 8,
    SCRIPT_SOURCE = 8,
    SCRIPT_NAME = 16,
    SCRIPT_LINE_OFFSET = 24,
    SCRIPT_LINE_ENDS = 56,
    SCOPE_LOCALS = 24
};
enum { V8_EXITS = 4 };

struct v8_layout {
    uint16_t version; /* major << 8 | minor */
    uint16_t function_shared, shared_name, shared_script;
    uint16_t bytecode_positions, bytecode_start;
    uint16_t left_word, fast_word;  /* of an isolate: c_entry_fp and fast_c_call_caller_fp, in words */
    uint16_t scope_names;           /* behind what a ScopeInfo has in front of its locals */
    uint16_t code_start, code_size; /* 0: what Sparkplug compiled is not read */
    uint16_t function, shared, script, scope, bytecode, code, bytes, array; /* numbers of types */
    uint8_t exits[V8_EXITS]; /* numbers of the frames in which JavaScript leaves for C++; 0: no more */
};

/* NULL: there is no row. `version`: major << 8 | minor. */
const struct v8_layout *v8_layout_of(uint32_t version);

/* How many bytes a bytecode takes with its operands; 0: there is none of that number, or the version has no table. `scale`: 2
 * and 4 behind the prefixes that make operands wider. */
uint32_t v8_bytecode_size(uint32_t version, uint8_t bytecode, uint32_t scale);

#endif
