/* Finds the jars that hold the class of a Java handler. */
#ifndef SHIELD_HANDLER_JARS_H
#define SHIELD_HANDLER_JARS_H

#include "../../core/text.h"
#include "../base/user_memory.h"

/* Calls `add` for every jar in the directory that holds a file of this name, and returns whether all calls returned true. A
 * missing directory has none. `scratch`: other and line are used. */
bool find_jars_with(struct text directory, struct text file, bool (*add)(void *context, const char *path),
                    void *context, struct scratch *scratch);

#endif
