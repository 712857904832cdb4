/* Finds the CPython in this process, and reads the frames of the calling thread's code from memory, from the innermost on. It calls no function of the
 * interpreter, which may be in any state and has no "current thread" while a call waits. Each loop is bounded, and each object
 * is checked before its use: the worst result, for any content of memory, is none, or a wrong one. */
#ifndef SHIELD_PYTHON_FRAMES_H
#define SHIELD_PYTHON_FRAMES_H

#include "../../core/python_layout.h"
#include "../../core/text.h"
#include "../base/memory_reader.h"

/* The address and the layout of its state. */
struct python {
    bool is_there; /* it was found, and its version is known */
    uint64_t runtime, code_type, str_type, bytes_type;
    struct python_layout layout;
};

/* Memory for the search. */
struct python_search {
    struct memory_reader *reader;
    struct python python;
    uint64_t words[PYTHON_WORDS];
};

/* Searches at the first call, and keeps the result for later ones; while another thread stores its result, the answer is in
 * `own`. NULL: there is none. */
const struct python *find_python(struct memory_reader *r, char *buffer, uint32_t cap,
                                 struct python_search *own);

struct python_frames {
    struct memory_reader *reader;
    const struct python *python;
    uint64_t next; /* frame */
    uint32_t left; /* frames that may still be read */
};

struct python_frame {
    uint64_t file, function; /* two strs: the source file's name, the function's qualified one */
    uint64_t code, instruction;
    bool is_coroutine, may_await; /* may_await: a coroutine, or a generator, which __await__ may have made */
};

/* `stack`: the caller's stack pointer. `is_copy`: the process was forked, or shares its parent's memory, so the kernel's thread
 * ids in its interpreter are the parent's. False: this thread runs no Python code. */
bool python_frames_begin(struct python_frames *f, struct memory_reader *r, const struct python *python,
                         uint64_t stack, bool is_copy);
/* Reads the next frame. False: there is none. */
bool python_frames_next(struct python_frames *f, struct python_frame *frame);
/* The line of a frame; 0: it has none. */
uint32_t python_line(const struct python_frames *f, const struct python_frame *frame);
/* Writes a str as UTF-8, cut to fit; nothing for another object. */
void put_python_str(const struct python_frames *f, uint64_t str, struct writer *w);

#endif
