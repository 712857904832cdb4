/* The frames of the calling thread's JavaScript, from the innermost on: V8 is not called, as it may be in the midst of anything.
 * All is read as it lies in memory, each loop is bounded, and each object is looked at before it is used: whatever memory holds,
 * the worst is no answer, or a wrong one. */
#ifndef SHIELD_NODE_FRAMES_H
#define SHIELD_NODE_FRAMES_H

#include "node_heap.h"

struct node_frames {
    struct node_heap heap;
    uint64_t next; /* frame pointer */
    uint64_t back; /* where the frame in front of it returns to, in this one's code; 0: unknown */
    uint32_t left; /* frames that may still be looked at */
};

struct node_frame {
    uint64_t script, shared;   /* the file, and what all closures of the function have in common */
    uint64_t bytecode, offset; /* as the interpreter keeps them in its frame */
    uint64_t back;
};

/* `stack`: where the call was made from. False: this thread runs no JavaScript. */
bool node_frames_begin(struct node_frames *f, struct memory_reader *r, const struct node *node,
                       uint64_t stack);
/* False: there are no more. */
bool node_frames_next(struct node_frames *f, struct node_frame *frame);
void put_node_file(const struct node_frames *f, const struct node_frame *frame, struct writer *w);
/* Nothing where the function has no name, as a file's own code has none. */
void put_node_function(const struct node_frames *f, const struct node_frame *frame, struct writer *w);

#endif
