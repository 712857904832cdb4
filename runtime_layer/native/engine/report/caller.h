/* Which library, or program, made a call: the nearest return address on the stack that lies in one which is not passed over. */
#ifndef SHIELD_CALLER_H
#define SHIELD_CALLER_H

#include "../../core/text.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

enum { CALLER_OBJECT_MAX = 256 };

/* The file's base name, kept at the beginning of scratch->link; empty when nothing is found. */

/* For an alert: passes over libraries that only hand calls on. A hint for people: no verdict depends on it. */
struct text caller_object(const struct call *call, struct scratch *scratch);
/* The object that the system-call instruction is in. */
struct text call_maker(const struct call *call, struct scratch *scratch);
/* For allow_executable_memory: passes over a libc, as code of the function's own language cannot write to the stack. Empty too
 * for code without a file. */
struct text memory_asker(const struct call *call, struct scratch *scratch);

#endif
