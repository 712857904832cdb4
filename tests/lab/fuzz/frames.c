/* The walk over Python's frames in memory that holds anything: it ends, touches nothing that is not there, and writes no more
 * than there is room for. Input: a number, then either changes to a small interpreter that is laid into the caller's memory, or
 * an ELF object to look for symbols in. */
#include "arena.h"

#include "../../../runtime_layer/native/engine/base/memory_reader.h"
#include "../../../runtime_layer/native/engine/report/python_frames.h"

enum { ROOM = 2 * PAGE, THREAD = 4242, MOST_FRAMES = 256, LONGEST_NAME = 96 };
/* Where the interpreter's parts lie in it. */
enum {
    RUNTIME = 0x000,
    INTERPRETER = 0x080,
    STATE = 0x100,
    C_FRAME = 0x280,
    INNER = 0x300,
    OUTER = 0x380,
    SHIM = 0x400,
    CODE = 0x480,
    FILE_NAME = 0x600,
    FUNCTION_NAME = 0x700,
    LINES = 0x800,
    STR_TYPE = 0xf00,
    BYTES_TYPE = 0xf10,
    CODE_TYPE = 0xf20
};

static uint64_t place(uint32_t at)
{
    return (uint64_t)arena + PAGE + at;
}

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)e, (void)f;
    switch (nr) {
    case __NR_rt_sigprocmask: return arena_holds(b) ? kernel_real(nr, a, b, c, d, 0, 0) : -EFAULT;
    case __NR_gettid: return THREAD;
    case __NR_openat: return -EACCES;
#if defined(__x86_64__)
    case __NR_arch_prctl: *(uint64_t *)b = place(STATE); return 0;
#endif
    }
    CHECK(false);
    return -ENOSYS;
}

static void lay(uint32_t at, uint64_t value, uint32_t bytes)
{
    arena_put(place(at), &value, bytes);
}

/* Two frames above a shim, all of one code object. */
static void lay_interpreter(const struct python_layout *l, struct text lines)
{
    const uint16_t *o = l->offset;
    uint32_t frames[] = {INNER, SHIM, OUTER};
    uint64_t self = place(STATE);
#if defined(__aarch64__)
    __asm__("mrs %0, tpidr_el0" : "=r"(self));
#endif
    lay(RUNTIME + o[RUNTIME_INTERPRETERS], place(INTERPRETER), 8);
    lay(INTERPRETER + o[INTERPRETER_THREADS], place(STATE), 8);
    lay(STATE + o[THREAD_ID], self, 8);
    lay(STATE + o[THREAD_NATIVE_ID], THREAD, 8);
    lay(STATE + o[THREAD_FRAME], place(o[C_FRAME_FRAME] == NO_OFFSET ? INNER : C_FRAME), 8);
    if (o[C_FRAME_FRAME] != NO_OFFSET)
        lay(C_FRAME + o[C_FRAME_FRAME], place(INNER), 8);
    for (uint32_t i = 0; i < 3; i++) {
        lay(frames[i] + o[FRAME_CODE], place(CODE), 8);
        lay(frames[i] + o[FRAME_INSTRUCTION], place(CODE) + o[CODE_START] + 2 * i, 8);
        lay(frames[i] + o[FRAME_PREVIOUS], i < 2 ? place(frames[i + 1]) : 0, 8);
        lay(frames[i] + o[FRAME_OWNER], frames[i] == SHIM ? 3 : 0, 1);
    }
    lay(CODE + o[OBJECT_TYPE], place(CODE_TYPE), 8);
    lay(CODE + o[CODE_FILE], place(FILE_NAME), 8);
    lay(CODE + o[CODE_FUNCTION], place(FUNCTION_NAME), 8);
    lay(CODE + o[CODE_LINES], place(LINES), 8);
    lay(CODE + o[CODE_FIRST_LINE], 7, 4);
    lay(FILE_NAME + o[OBJECT_TYPE], place(STR_TYPE), 8);
    lay(FILE_NAME + o[STR_LENGTH], 16, 8);
    lay(FILE_NAME + o[STR_STATE], 1 << 6 | 1 << 5 | 1 << 2, 4);
    arena_put(place(FILE_NAME) + o[STR_ASCII_START], "/var/task/app.py", 16);
    lay(FUNCTION_NAME + o[OBJECT_TYPE], place(STR_TYPE), 8);
    lay(FUNCTION_NAME + o[STR_LENGTH], 2, 8);
    lay(FUNCTION_NAME + o[STR_STATE], 1 << 5 | 2 << 2, 4);
    arena_put(place(FUNCTION_NAME) + o[STR_OTHER_START], "\x0d\x54\x4d\x52", 4);
    lay(LINES + o[OBJECT_TYPE], place(BYTES_TYPE), 8);
    lay(LINES + o[BYTES_SIZE], lines.len, 8);
    arena_put(place(LINES) + o[BYTES_START], lines.at, lines.len);
}

static void change_words(struct input *in)
{
    while (in->left) {
        uint64_t kind = take_number(in, 1), at = take_number(in, 2) % ROOM;
        if (kind % 3 == 0)
            lay((uint32_t)at, take_pointer(in), 8);
        else if (kind % 3 == 1)
            lay((uint32_t)at, take_number(in, 2), 8);
        else
            lay((uint32_t)at, take_number(in, 8), (uint32_t)(1 + kind % 8));
    }
}

static void walk(const struct python_layout *layout, bool is_copy)
{
    struct memory_reader reader;
    struct python python = {true,   place(RUNTIME), place(CODE_TYPE), place(STR_TYPE), place(BYTES_TYPE),
                            *layout};
    struct python_frames frames;
    struct python_frame frame;
    uint32_t count = 0;
    char *room = room_take(LONGEST_NAME, 1);
    reader_begin(&reader, true);
    if (python_frames_begin(&frames, &reader, &python, place(0), is_copy))
        while (python_frames_next(&frames, &frame)) {
            struct writer w = {room, 0, LONGEST_NAME, false};
            put_python_str(&frames, frame.file, &w);
            put_python_str(&frames, frame.function, &w);
            CHECK(w.used <= LONGEST_NAME);
            python_line(&frames, &frame);
            CHECK(++count <= MOST_FRAMES);
        }
    reader_end(&reader);
    room_give(room);
}

static void look_for_symbols(struct input *in)
{
    struct memory_reader reader;
    struct exports e;
    uint64_t base = place((uint32_t)take_number(in, 1));
    arena_put(base, in->at, in->left < ROOM - 256 ? in->left : ROOM - 256);
    reader_begin(&reader, true);
    if (exports_of(&reader, base, &e)) {
        exported_symbol(&reader, &e, "_PyRuntime");
        exported_symbol(&reader, &e, "f");
    }
    reader_end(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct python_layout layout;
    uint64_t what = take_number(&in, 1);
    arena_make();
    arena_clear();
    if (what % 3 == 2) {
        look_for_symbols(&in);
        return 0;
    }
    CHECK(python_layout_of(what % 3 ? 0x30c : 0x30b, &layout));
    lay_interpreter(&layout, take_text(&in, take_number(&in, 1)));
    change_words(&in);
    walk(&layout, what & 0x80);
    return 0;
}
