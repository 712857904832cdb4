/* Detects whether this process is an exec wrapper, before the runtime. */
#ifndef SHIELD_WRAPPER_DETECT_H
#define SHIELD_WRAPPER_DETECT_H

#include "../../core/text.h"

/* `program`: the name of this process's file, which a wrapper started. Wrappers get the runtime and its arguments, so a program
 * with the runtime among its arguments is a wrapper; so is a shell, which may have replaced its arguments. All others are the
 * runtime, or a helper. */
bool is_wrapper(struct text program);

#endif
