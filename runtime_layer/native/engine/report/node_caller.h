/* Which JavaScript made a call, and through which packages it came. A hint for people, not a fact that anything is decided on. */
#ifndef SHIELD_NODE_CALLER_H
#define SHIELD_NODE_CALLER_H

#include "../base/syscall_ctx.h"
#include "../base/user_memory.h"
#include "place_texts.h"

/* The texts are kept in `texts`; scratch->line is overwritten, and scratch->link but for what caller_object keeps there. No
 * package: no code that is a package's, or none of JavaScript's at all. */
struct source_place node_caller(const struct call *call, struct place_texts *texts, struct scratch *scratch);

#endif
