/* Which JavaScript asked for a connection, or for a program: node_callers.cjs, which is preloaded where SHIELD_NODE_CALLERS is on,
 * writes it to a descriptor that no process can have. A hint for people, not a fact that anything is decided on: any code of the
 * function can write it. */
#ifndef SHIELD_NODE_NOTES_H
#define SHIELD_NODE_NOTES_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "place_texts.h"

enum { NOTES_DESCRIPTOR = 0x7fffffff /* fs.nr_open (proc(5)) is lower, and Node.js takes no higher one */ };

/* A write to that descriptor: what write(2) returns. */
int64_t keep_node_note(const struct call *call);
/* For an alert of this thread's, or of a look-up that a thread of libuv's makes for another. The texts are kept in `texts`. No
 * package: not known. */
struct source_place find_node_place(const struct alert *alert, struct place_texts *texts);

#endif
