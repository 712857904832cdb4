/* Keeps notes of the JavaScript that asked for a connection or a program. node_callers.cjs, preloaded into Node.js, writes them to
 * a descriptor that no process can have. A hint for people: any code of the function can write a note, and no verdict depends
 * on it. By the same way the preload asks whether V8's flags may change. */
#ifndef SHIELD_NODE_NOTES_H
#define SHIELD_NODE_NOTES_H

#include "../../core/alert.h"
#include "../base/syscall_ctx.h"
#include "place_texts.h"

enum { NOTES_DESCRIPTOR = 0x7fffffff /* fs.nr_open (proc(5)) is lower, and Node.js takes no higher one */ };

enum { NOTE_MAX = 1024 };
/* Handles a write to that descriptor. Returns the result of write(2). `flags`: those of V8 that the preload asks for, in `bytes`;
 * empty: it asks for none. */
int64_t keep_node_note(const struct call *call, char bytes[NOTE_MAX], struct text *flags);
/* The place for an alert of this thread, or of a look-up that a libuv thread makes for another. The texts are kept in `texts`.
 * No package: it is unknown. */
struct source_place find_node_place(const struct alert *alert, struct place_texts *texts);

#endif
