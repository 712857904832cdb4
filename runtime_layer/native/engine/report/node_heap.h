/* V8's objects, read as they lie in memory. A pointer to one is its address and one more; a small number is the upper half of a
 * word whose lower half is zero. */
#ifndef SHIELD_NODE_HEAP_H
#define SHIELD_NODE_HEAP_H

#include "../../core/text.h"
#include "node_runtime.h"

struct node_heap {
    struct memory_reader *reader;
    const struct v8_layout *layout;
};

static inline bool is_small_number(uint64_t value)
{
    return !(value & UINT32_MAX);
}

/* 0: it cannot be read. */
uint64_t heap_field(const struct node_heap *h, uint64_t object, uint32_t offset);
/* What a map says; 0: it is no object. */
uint32_t heap_type(const struct node_heap *h, uint64_t object);
bool is_js_function(const struct node_heap *h, uint64_t object);
/* The small number there as it is, if it is one from 0 to `most`; else `most` + 1. */
uint32_t heap_number(const struct node_heap *h, uint64_t object, uint32_t offset, uint32_t most);

/* Of a string that lies in one piece: where its characters are, and how many bytes each takes. */
struct characters {
    uint64_t at;
    uint32_t count, width;
};
bool string_characters(const struct node_heap *h, uint64_t string, struct characters *c);
/* As UTF-8, as far as it fits; nothing for what is no string. */
void put_js_string(const struct node_heap *h, uint64_t string, struct writer *w);

#endif
