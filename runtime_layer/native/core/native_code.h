/* Native code that lets a language make any call: foreign-function bridges, and the interpreter's own test modules. Recognised
 * by their names, or by their exports: an inventory and a hurdle. Native code that hides needs none of these. */
#ifndef SHIELD_NATIVE_CODE_H
#define SHIELD_NATIVE_CODE_H

#include "text.h"

/* For the path of a bridge that hardly any function loads: the entry of allow_executable_memory that admits it. Empty: it is
 * none of these. `by_switch`: also for those that SHIELD_BLOCK_FOREIGN_FUNCTIONS=on refuses, such as ctypes. */
struct text refused_bridge(struct text path, bool by_switch);

/* Node.js 26 has a bridge itself, where an option turns it on (https://nodejs.org/api/ffi.html). The entry that admits it. */
#define NODE_FFI "node-ffi"
/* Whether an argument of Node.js is that option. */
bool is_ffi_option(struct text argument);
/* Whether NODE_OPTIONS has it. */
bool has_ffi_option(struct text options);

/* A bridge, and a symbol that its object exports. */
struct bridge {
    const char *name, *symbol;
};
enum { BRIDGE_SYMBOLS = 11 };
extern const struct bridge bridges[BRIDGE_SYMBOLS];

/* A native part of AWS's runtime clients, by the name of its file. */
bool is_of_runtime_client(struct text file_name);

#endif
