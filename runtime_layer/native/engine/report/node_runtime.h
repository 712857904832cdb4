/* The Node.js that is mapped into this process: which V8 it has, and where a thread's isolate is told. */
#ifndef SHIELD_NODE_RUNTIME_H
#define SHIELD_NODE_RUNTIME_H

#include "../../core/v8_layout.h"
#include "../base/memory_reader.h"

struct node {
    const struct v8_layout *layout; /* NULL: there is none, or of a version that is not known */
    int64_t isolate;                /* where it is told, from the thread pointer */
};

/* Looks for it the first time, and keeps what was found for all calls to come: where another call is just about to, the answer
 * is in `own`. NULL: there is none. */
const struct node *find_node(struct memory_reader *r, char *buffer, uint32_t cap, struct node *own);

#endif
