/* Which Python code made a call, and through which packages it came. A hint for people, not a fact that anything is decided
 * on. */
#ifndef SHIELD_PYTHON_CALLER_H
#define SHIELD_PYTHON_CALLER_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

/* The texts are kept in scratch->path; scratch->line is overwritten, and scratch->link but for what caller_object keeps there.
 * No package: no code that is a package's, or none of Python's at all. */
struct source_place python_caller(const struct call *call, struct scratch *scratch);

#endif
