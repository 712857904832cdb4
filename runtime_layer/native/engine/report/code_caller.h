/* Which code of the program's own language made a call, and through which packages it came. A hint for people, not a fact that
 * anything is decided on. */
#ifndef SHIELD_CODE_CALLER_H
#define SHIELD_CODE_CALLER_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

/* The texts may be kept in scratch->path; scratch->line is overwritten, and scratch->link but for what caller_object keeps
 * there. No package: it cannot be told. */
struct source_place code_caller(const struct call *call, struct scratch *scratch);

#endif
