#include "node_frames.h"

#include "../base/thread_local.h"

/* Words from a frame pointer: of JavaScript's frames, and the mark in the place of a context that all others have. */
enum { CONTEXT = -1, FUNCTION = -2, BYTECODE = -4, OFFSET = -5, RETURN = 1 };
enum { FRAMES = 256, STACK_MAX = 8 << 20, ENTRY_WORDS = 16 };
enum { ENTRY = 1, CONSTRUCT_ENTRY = 2 };

static uint64_t frame_word(const struct node_frames *f, uint64_t frame, int32_t index)
{
    return reader_word(f->heap.reader, frame + 8 * (uint64_t)(int64_t)index);
}

static bool is_above(uint64_t frame, uint64_t stack)
{
    return !(frame & 7) && frame > stack && frame - stack <= STACK_MAX;
}

static bool is_exit(const struct node_frames *f, uint64_t frame)
{
    uint64_t mark = frame_word(f, frame, CONTEXT);
    for (uint32_t i = 0; i < V8_EXITS && f->heap.layout->exits[i]; i++)
        if (mark == (uint64_t)f->heap.layout->exits[i] << 1)
            return true;
    return false;
}

static bool is_function_frame(const struct node_frames *f, uint64_t frame)
{
    return heap_type(&f->heap, frame_word(f, frame, CONTEXT)) &&
           is_js_function(&f->heap, frame_word(f, frame, FUNCTION));
}

/* The isolate says where JavaScript was left for C++, and which frame made a fast call, which leaves none of its own; nothing
 * where this thread has no isolate. */
static uint64_t innermost_frame(const struct node_frames *f, uint64_t isolate, uint64_t stack)
{
    uint64_t left = reader_word(f->heap.reader, isolate + 8 * f->heap.layout->left_word);
    uint64_t fast = reader_word(f->heap.reader, isolate + 8 * f->heap.layout->fast_word);
    bool has_left = is_above(left, stack) && is_exit(f, left);
    if (is_above(fast, stack) && is_function_frame(f, fast) && (!has_left || fast < left))
        return fast;
    return has_left ? left : 0;
}

bool node_frames_begin(struct node_frames *f, struct memory_reader *r, const struct node *node,
                       uint64_t stack)
{
    *f = (struct node_frames){{r, node->layout}, 0, 0, FRAMES};
    uint64_t isolate = reader_word(r, thread_pointer() + (uint64_t)node->isolate);
    f->next = innermost_frame(f, isolate, stack);
    return f->next;
}

/* Where C++ has entered JavaScript: it keeps below its frame pointer where JavaScript was left before. */
static uint64_t frame_before_entry(const struct node_frames *f, uint64_t frame)
{
    for (int32_t i = 2; i < ENTRY_WORDS; i++) {
        uint64_t value = frame_word(f, frame, -i);
        if (is_above(value, frame) && is_exit(f, value))
            return value;
    }
    return 0;
}

static void go_on(struct node_frames *f)
{
    uint64_t frame = f->next, mark = frame_word(f, frame, CONTEXT), above = frame_word(f, frame, 0);
    if (mark == ENTRY << 1 || mark == CONSTRUCT_ENTRY << 1) {
        f->next = frame_before_entry(f, frame);
        f->back = 0;
    } else {
        f->next = is_above(above, frame) ? above : 0;
        f->back = frame_word(f, frame, RETURN);
    }
}

static bool read_frame(const struct node_frames *f, struct node_frame *frame)
{
    const struct v8_layout *l = f->heap.layout;
    if (!is_function_frame(f, f->next))
        return false;
    frame->shared = heap_field(&f->heap, frame_word(f, f->next, FUNCTION), l->function_shared);
    frame->script = heap_field(&f->heap, frame->shared, l->shared_script);
    frame->bytecode = frame_word(f, f->next, BYTECODE);
    frame->offset = frame_word(f, f->next, OFFSET);
    frame->back = f->back;
    return heap_type(&f->heap, frame->script) == l->script;
}

bool node_frames_next(struct node_frames *f, struct node_frame *frame)
{
    while (f->next && f->left--) {
        bool is_js = read_frame(f, frame);
        go_on(f);
        if (is_js)
            return true;
    }
    f->next = 0;
    return false;
}

void put_node_file(const struct node_frames *f, const struct node_frame *frame, struct writer *w)
{
    put_js_string(&f->heap, heap_field(&f->heap, frame->script, SCRIPT_NAME), w);
}

/* A ScopeInfo has the names of its locals, as many numbers, then the function's name, where that is kept, and what the function
 * is inferred to be called; each of them if it is there. */
void put_node_function(const struct node_frames *f, const struct node_frame *frame, struct writer *w)
{
    enum { LOCALS_MAX = 75, NAMES = 3 }; /* more locals are kept in another way */
    const struct v8_layout *l = f->heap.layout;
    uint64_t name = heap_field(&f->heap, frame->shared, l->shared_name);
    put_js_string(&f->heap, name, w);
    if (heap_type(&f->heap, name) != l->scope)
        return;
    uint32_t locals = heap_number(&f->heap, name, SCOPE_LOCALS, LOCALS_MAX);
    for (uint32_t i = 0; i < NAMES && locals <= LOCALS_MAX && !w->used; i++)
        put_js_string(&f->heap, heap_field(&f->heap, name, l->scope_names + 16 * locals + 8 * i), w);
}
