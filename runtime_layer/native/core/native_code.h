/* Native code by which a language reaches past itself: foreign-function bridges, and the interpreter's own test modules. Told
 * by what it is called, or by what it exports: an inventory and a hurdle. Who brings native code that hides has no need of
 * these. */
#ifndef SHIELD_NATIVE_CODE_H
#define SHIELD_NATIVE_CODE_H

#include "text.h"

/* What hardly any function loads, by the path of its file: the entry of allow_executable_memory that admits it. Empty: it
 * is none of these. */
struct text refused_bridge(struct text path);

/* A bridge, and a symbol that its object exports. */
struct bridge {
    const char *name, *symbol;
};
enum { BRIDGE_SYMBOLS = 11 };
extern const struct bridge bridges[BRIDGE_SYMBOLS];

/* A native part of AWS's runtime clients, by the name of its file. */
bool is_of_runtime_client(struct text file_name);

#endif
