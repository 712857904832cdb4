/* Which library a call came from: the nearest return address on the stack that lies in something other
 * than libc. A hint for people, not a fact that anything is decided on. */
#ifndef SHIELD_CALLER_H
#define SHIELD_CALLER_H

#include "../../core/text.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

enum { CALLER_OBJECT_MAX = 256 };

/* The file's base name, kept at the beginning of scratch->link; empty when nothing is found. */
struct text caller_object(const struct call *call, struct scratch *scratch);

#endif
