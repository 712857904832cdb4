/* Recognises native code with which a language can make any call: foreign-function bridges, and the interpreter's test
 * modules. Their names or exports identify them, so hidden native code is not found: this is an inventory and a hurdle. */
#ifndef SHIELD_NATIVE_CODE_H
#define SHIELD_NATIVE_CODE_H

#include "text.h"

/* The entry of allow_executable_memory that admits the bridge in this file; empty: it is no rare bridge. `by_switch`: also
 * for the bridges that SHIELD_BLOCK_FOREIGN_FUNCTIONS=on refuses, such as ctypes. */
struct text refused_bridge(struct text path, bool by_switch);

/* The entry that admits the built-in bridge of Node.js 26, which an option turns on (https://nodejs.org/api/ffi.html). */
#define NODE_FFI "node-ffi"
/* The entry that lets JavaScript change V8's flags (v8.setFlagsFromString). Some of them let WebAssembly use all memory. */
#define NODE_FLAGS "node-flags"
/* The entry that leaves sun.misc.Unsafe its access to memory (https://openjdk.org/jeps/498), where
 * SHIELD_BLOCK_FOREIGN_FUNCTIONS is on. */
#define JAVA_UNSAFE "java-unsafe"
/* Whether an argument of Node.js is the option of NODE_FFI. */
bool is_ffi_option(struct text argument);
/* Whether NODE_OPTIONS has it. */
bool has_ffi_option(struct text options);

/* A bridge, and a symbol that its object exports. */
struct bridge {
    char name[18], symbol[33];
};
enum { BRIDGE_SYMBOLS = 13 };
extern const struct bridge bridges[BRIDGE_SYMBOLS];

/* A native part of AWS's runtime clients, by the name of its file. */
bool is_of_runtime_client(struct text file_name);

#endif
