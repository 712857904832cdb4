/* Patches the sites of the objects that are loaded when the shield arms. */
#ifndef SHIELD_LOADED_OBJECTS_H
#define SHIELD_LOADED_OBJECTS_H

#include "../../core/text.h"
#include "../state/sealed_state.h"

struct armed_objects {
    uint32_t sites;   /* found */
    uint32_t patched; /* the sites that can make a guarded call */
};

/* Patches them, and protects our own library. Children get its path, and the sites that were found. False: `error` names the
 * object that cannot be guarded. `checks_first`: changes nothing unless all of them can be patched, as far as a search shows.
 */
bool patch_loaded_objects(struct armed_objects *out, struct own_library *library, struct kept_texts *texts,
                          bool checks_first, struct writer *error);

/* Does a library that is loaded later make its calls through libc, by its path: the managed runtime's own, or a known one of
 * the system's? Some are large, so they are not searched, unless their file can change. */
bool is_trusted_library(struct text path);

/* Is it the system's or the runtime's own, by its path, and not installed beside it? A hint for people. `runtime_prefix`: from
 * find_runtime_prefix. */
bool is_of_platform(struct text path, struct text runtime_prefix);
/* "/var/lang/" for /var/lang/bin/python3.12, written to `room`; empty where the program is in no folder `bin`. */
struct text find_runtime_prefix(char *room, uint32_t cap);

/* Writes the line that names the function's native code, once that is loaded, unless there is none (native_inventory.c). */
void report_native_code(void);

#endif
