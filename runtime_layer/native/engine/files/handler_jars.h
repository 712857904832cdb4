/* Java's handlers in jars: finds the jars that hold a class. */
#ifndef SHIELD_HANDLER_JARS_H
#define SHIELD_HANDLER_JARS_H

#include "../../core/text.h"
#include "../base/user_memory.h"

/* Gives `add` every jar in the directory that holds a file of this name, and returns whether it took them all. A
 * directory that is not there holds none. The archives are read, once. `scratch`: other and line are used. */
bool find_jars_with(struct text directory, struct text file, bool (*add)(void *context, const char *path),
                    void *context, struct scratch *scratch);

#endif
