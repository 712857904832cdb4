/* Finds the Python code that made a call, and its packages. A hint for people: no verdict depends on it. */
#ifndef SHIELD_PYTHON_CALLER_H
#define SHIELD_PYTHON_CALLER_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"

/* The texts are kept in scratch->path; scratch->line and the rest of scratch->link, behind caller_object's text, are
 * overwritten. No package: no frame belongs to a package, or there is no Python frame. */
struct source_place python_caller(const struct call *call, struct scratch *scratch, struct text wanted);

#endif
