/* Whether this process is one of the exec wrappers, on the way to the runtime. */
#ifndef SHIELD_WRAPPER_DETECT_H
#define SHIELD_WRAPPER_DETECT_H

#include "../../core/text.h"

/* `program`: the name of the file that runs in this process, which a wrapper started, or ours. Wrappers are given the
 * runtime and its arguments, so a program that is told of the runtime is one of them; and so are shells, in which
 * somebody may have replaced the arguments. Everything else is the runtime, or a helper. */
bool is_wrapper(struct text program);

#endif
