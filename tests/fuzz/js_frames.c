/* The walk over JavaScript's frames in memory that holds anything: it ends, touches nothing that is not there, and writes no more
 * than there is room for. Input: a number, then changes to a small heap of V8's that is laid into the caller's memory. */
#include "arena.h"

#include "../../runtime_layer/native/engine/base/thread_local.h"
#include "../../runtime_layer/native/engine/report/node_lines.h"

enum { ROOM = 2 * PAGE, MOST_FRAMES = 256, LONGEST_NAME = 96, TAG = 1 };
/* Where its parts lie. Frames are told by their frame pointers. */
enum {
    TOLD = 0x00, /* the isolate's place, as a thread-local variable */
    CODE_BYTES = 0x40,
    EXIT = 0x140,
    INNER = 0x1c0,
    COMPILED = 0x240,
    ENTRY = 0x2c0,
    OUTER_EXIT = 0x340,
    OUTER = 0x3c0,
    FUNCTION = 0x480,
    SHARED = 0x500,
    SCRIPT = 0x580,
    SCOPE = 0x600,
    BYTECODE = 0x680,
    POSITIONS = 0x780,
    CODE = 0x840,
    PLACES = 0x8c0,
    FILE_NAME = 0x940,
    PAIR = 0x9c0,
    SOURCE = 0xa00,
    LINE_ENDS = 0xb00,
    MAPS = 0xc00,
    ISOLATE = 0xe00
};
enum { MAP_OF_STRING, MAP_OF_PAIR, MAP_OF_WIDE, MAPS_OF_TYPES, MAP_SIZE = 16 };

static uint64_t place(uint32_t at)
{
    return (uint64_t)arena + PAGE + at;
}

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    (void)e, (void)f;
    switch (nr) {
    case __NR_rt_sigprocmask: return arena_holds(b) ? kernel_real(nr, a, b, c, d, 0, 0) : -EFAULT;
#if defined(__x86_64__)
    case __NR_arch_prctl: *(uint64_t *)b = place(TOLD); return 0;
#endif
    }
    CHECK(false);
    return -ENOSYS;
}

static void lay(uint32_t at, uint64_t value, uint32_t bytes)
{
    arena_put(place(at), &value, bytes);
}

static uint64_t object(uint32_t at)
{
    return place(at) + TAG;
}

static uint64_t small(uint32_t number)
{
    return (uint64_t)number << 32;
}

static void lay_map(uint32_t map, uint32_t at, uint16_t type)
{
    lay(MAPS + MAP_SIZE * map + TYPE_OF_MAP, type, 2);
    lay(at, object(MAPS + MAP_SIZE * map), 8);
}

static void lay_string(uint32_t at, uint32_t map, uint16_t type, const char *characters, uint32_t bytes,
                       uint32_t count)
{
    lay_map(map, at, type);
    lay(at + 12, count, 4);
    arena_put(place(at) + 16, characters, bytes);
}

static void lay_function_frame(uint32_t at, uint32_t above, uint64_t offset)
{
    lay(at, above ? place(above) : 0, 8);
    lay(at + 8, place(CODE_BYTES) + 9, 8);
    lay(at - 8, object(SCOPE), 8); /* a context: any object */
    lay(at - 16, object(FUNCTION), 8);
    lay(at - 32, object(BYTECODE), 8);
    lay(at - 40, offset, 8);
}

static void lay_table(uint32_t at, uint32_t map, uint16_t type, struct text bytes)
{
    lay_map(map, at, type);
    lay(at + ARRAY_LENGTH, small(bytes.len), 8);
    arena_put(place(at) + ARRAY_START, bytes.at, bytes.len);
}

/* Two calls, the inner one in what Sparkplug compiled, then C++, then another one. */
static void lay_heap(const struct v8_layout *l, struct text positions, struct text places)
{
    const uint16_t types[] = {l->function, l->shared, l->script, l->scope, l->bytecode, l->code, l->array};
    const uint32_t objects[] = {FUNCTION, SHARED, SCRIPT, SCOPE, BYTECODE, CODE, LINE_ENDS};
    const uint8_t codes[] = {11, 0, 12, 0, 11, 1, 1, 0, 0, 0, 11, 2, 12};
    for (uint32_t i = 0; i < sizeof objects / sizeof *objects; i++)
        lay_map(MAPS_OF_TYPES + i, objects[i], types[i]);
    lay(TOLD, place(ISOLATE), 8);
    lay(ISOLATE + 8 * l->left_word, place(EXIT), 8);
    lay(EXIT, place(INNER), 8);
    lay(EXIT - 8, (uint64_t)l->exits[1] << 1, 8);
    lay_function_frame(INNER, COMPILED, small(l->bytecode_start + 3));
    lay_function_frame(COMPILED, ENTRY, object(SCOPE));
    lay(ENTRY - 8, 1 << 1, 8);
    lay(ENTRY - 24, place(OUTER_EXIT), 8);
    lay(OUTER_EXIT, place(OUTER), 8);
    lay(OUTER_EXIT - 8, (uint64_t)l->exits[0] << 1, 8);
    lay_function_frame(OUTER, 0, small(l->bytecode_start));
    lay(FUNCTION + l->function_shared, object(SHARED), 8);
    lay(SHARED + l->shared_name, object(SCOPE), 8);
    lay(SHARED + l->shared_script, object(SCRIPT), 8);
    lay(SHARED + SHARED_CODE, object(CODE), 8);
    lay(SCRIPT + SCRIPT_NAME, object(PAIR), 8);
    lay(SCRIPT + SCRIPT_SOURCE, object(SOURCE), 8);
    lay(SCOPE + SCOPE_LOCALS, small(1), 8);
    lay(SCOPE + l->scope_names + 16, object(FILE_NAME), 8);
    lay(BYTECODE + BYTECODE_LENGTH, small(sizeof codes), 8);
    lay(BYTECODE + l->bytecode_positions, object(POSITIONS), 8);
    arena_put(place(BYTECODE) + l->bytecode_start, codes, sizeof codes);
    lay(CODE + CODE_BYTECODE, object(BYTECODE), 8);
    lay(CODE + CODE_PLACES, object(PLACES), 8);
    if (l->code_size) {
        lay(CODE + l->code_start, place(CODE_BYTES), 8);
        lay(CODE + l->code_size, 64, 4);
    }
    lay_table(POSITIONS, MAPS_OF_TYPES + 7, l->bytes, positions);
    lay_table(PLACES, MAPS_OF_TYPES + 7, l->bytes, places);
    lay_string(FILE_NAME, MAP_OF_WIDE, 0, "\x0d\x54\x4d\x52\x3d\xd8\x00\xde", 8, 4);
    lay_string(SOURCE, MAP_OF_STRING, 8, "a\r\nb\nc\rd; call(this, is, longer)\n", 33, 33);
    lay_map(MAP_OF_PAIR, PAIR, 9);
    lay(PAIR + 12, 37, 4);
    lay(PAIR + 16, object(FILE_NAME), 8);
    lay(PAIR + 24, object(SOURCE), 8);
}

static void change_words(struct input *in)
{
    while (in->left) {
        uint64_t kind = take_number(in, 1), at = take_number(in, 2) % ROOM;
        if (kind % 4 == 0)
            lay((uint32_t)at, take_pointer(in), 8);
        else if (kind % 4 == 1)
            lay((uint32_t)at & ~7u, (take_pointer(in) & ~7ull) | TAG, 8);
        else if (kind % 4 == 2)
            lay((uint32_t)at & ~7u, small((uint32_t)take_number(in, 4)), 8);
        else
            lay((uint32_t)at, take_number(in, 8), (uint32_t)(1 + kind % 8));
    }
}

static void walk(const struct v8_layout *layout)
{
    struct memory_reader reader;
    struct node node = {layout, (int64_t)(place(TOLD) - thread_pointer())};
    struct node_frames frames;
    struct node_frame frame;
    uint32_t count = 0;
    char *room = room_take(LONGEST_NAME, 1);
    reader_begin(&reader, false);
    if (node_frames_begin(&frames, &reader, &node, place(0)))
        while (node_frames_next(&frames, &frame)) {
            struct writer w = {room, 0, LONGEST_NAME, false};
            put_node_function(&frames, &frame, &w);
            put_node_file(&frames, &frame, &w);
            CHECK(w.used <= LONGEST_NAME);
            node_line(&frames, &frame);
            CHECK(++count <= MOST_FRAMES);
        }
    reader_end(&reader);
    room_give(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t versions[] = {0x0b03, 0x0c04, 0x0d06};
    struct input in = {data, size};
    const struct v8_layout *layout = v8_layout_of(versions[take_number(&in, 1) % 3]);
    arena_make();
    arena_clear();
    CHECK(layout);
    struct text positions = take_text(&in, take_number(&in, 1) % 128);
    struct text places = take_text(&in, take_number(&in, 1) % 64);
    lay_heap(layout, positions, places);
    change_words(&in);
    walk(layout);
    return 0;
}
