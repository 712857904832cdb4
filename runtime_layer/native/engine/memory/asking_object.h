/* Which library, or program, asks for executable memory: allow_executable_memory lists them by name. */
#ifndef SHIELD_ASKING_OBJECT_H
#define SHIELD_ASKING_OBJECT_H

#include "../../core/text.h"
#include "../base/syscall_ctx.h"

/* Copies its name as entries have it (core/object_names.h); empty: unknown. A libc is passed over, and who called it is
 * meant: code of the function's own language cannot write to the stack. */
enum { OBJECT_NAME_MAX = 64 };
struct text asking_object(const struct call *call, char out[OBJECT_NAME_MAX]);

#endif
