/* Tells whether this process is an exec wrapper, on the way to the runtime. */
#ifndef SHIELD_WRAPPER_DETECT_H
#define SHIELD_WRAPPER_DETECT_H

#include "../../core/text.h"

/* `program`: the name of this process's file, which our wrapper or another one started. Wrappers are given the runtime and its
 * arguments, so a program with the runtime among its arguments is one of them; so are shells, in which arguments may have been
 * replaced. All others are the runtime, or a helper. */
bool is_wrapper(struct text program);

#endif
