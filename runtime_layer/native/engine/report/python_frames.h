/* The frames of the calling thread's Python code, from the innermost on. No function of the interpreter is called: it may be in
 * any state, and while a call waits it has no "current thread". The frames are read from memory, each loop is bounded, and each
 * object is checked before it is used: with any content of memory, the worst result is none, or a wrong one. */
#ifndef SHIELD_PYTHON_FRAMES_H
#define SHIELD_PYTHON_FRAMES_H

#include "../../core/text.h"
#include "python_runtime.h"

struct python_frames {
    struct memory_reader *reader;
    const struct python *python;
    uint64_t next; /* frame */
    uint32_t left; /* that may still be looked at */
};

struct python_frame {
    uint64_t file, function; /* two strs: the source file's name, the function's qualified one */
    uint64_t code, instruction;
    bool is_coroutine, may_await; /* as a generator may, that an awaitable's __await__ makes */
};

/* `stack`: the caller's stack pointer. `is_copy`: the process was forked, or shares its parent's memory: the kernel's numbers
 * of threads in its interpreter are the parent's. False: this thread runs no Python code. */
bool python_frames_begin(struct python_frames *f, struct memory_reader *r, const struct python *python,
                         uint64_t stack, bool is_copy);
/* False: there are no more. */
bool python_frames_next(struct python_frames *f, struct python_frame *frame);
/* 0: it has none. */
uint32_t python_line(const struct python_frames *f, const struct python_frame *frame);
/* A str as UTF-8, cut to fit; nothing for another object. */
void put_python_str(const struct python_frames *f, uint64_t str, struct writer *w);

#endif
