/* Tests: tests/lab/frames/test_python_frames.py. */
#include "python_frames.h"

#include "../../core/python_objects.h"
#include "../base/procfs.h"

static bool read_layout(struct python_search *s, const struct exports *e)
{
    struct python *p = &s->python;
    uint64_t version = 0, at = exported_symbol(s->reader, e, "Py_Version");
    if (!at || !reader_read(s->reader, &version, at, sizeof version))
        return false;
    return python_layout_of((uint32_t)(version >> 16), &p->layout) ||
           (reader_read(s->reader, s->words, p->runtime, sizeof s->words) &&
            python_layout_from(s->words, &p->layout));
}

/* Searches one object: the interpreter is a library, or a part of the program. */
static bool find_in_object(void *context, const struct mapping *m)
{
    struct python_search *s = context;
    struct exports e;
    struct text name = base_name(m->path);
    bool may_be = text_starts(name, TEXT("libpython3.")) || text_starts(name, TEXT("python"));
    if (!may_be || m->offset || !exports_of(s->reader, m->low, &e))
        return false;
    struct python *p = &s->python;
    p->runtime = exported_symbol(s->reader, &e, "_PyRuntime");
    p->code_type = exported_symbol(s->reader, &e, "PyCode_Type");
    p->str_type = exported_symbol(s->reader, &e, "PyUnicode_Type");
    p->bytes_type = exported_symbol(s->reader, &e, "PyBytes_Type");
    p->is_there = p->runtime && p->code_type && p->str_type && p->bytes_type && read_layout(s, &e);
    return p->is_there;
}

const struct python *find_python(struct memory_reader *r, char *buffer, uint32_t cap,
                                 struct python_search *own)
{
    enum { UNKNOWN, BEING_KEPT, KEPT };
    static struct python
        kept; /* the thread that changes the state from UNKNOWN writes it, then the state (release) */
    static uint32_t state;
    const struct python *found = &kept;
    if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != KEPT) {
        uint32_t unknown = UNKNOWN;
        own->reader = r;
        own->python = (struct python){0};
        bool is_certain = each_mapping(buffer, cap, find_in_object, own) || own->python.is_there;
        found = &own->python;
        if (is_certain && __atomic_compare_exchange_n(&state, &unknown, BEING_KEPT, false, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED)) {
            kept = own->python;
            __atomic_store_n(&state, KEPT, __ATOMIC_RELEASE);
        }
    }
    return found->is_there ? found : NULL;
}

/* A Lambda function has 1,024 threads at most. */
enum { FRAMES = 256, THREADS = 1024, INTERPRETERS = 64, THREAD_SPAN = 512, TABLE_MAX = 1 << 20, PIECE = 256 };
/* Frames with this owner or a higher one have no code: they lie on the C stack between two evaluations. */
enum { OWNED_BY_C = 3 };
/* CO_COROUTINE, CO_ITERABLE_COROUTINE and CO_ASYNC_GENERATOR; and CO_GENERATOR. */
enum { COROUTINES = 0x380, GENERATORS = 0x20 };
enum { REFERENCE_TAGS = 3 /* 3.14 */ };

/* The two ids of a thread in an interpreter: pthread_self(), and the kernel's id. */
struct thread {
    uint64_t self;
    uint32_t below; /* pthread_self() may be lower by so many bytes */
    uint64_t number;
    bool is_copy;
};

/* pthread_self() is the thread pointer in glibc and musl; on aarch64 it is lower by the size of their structure. */
static void find_self(struct thread *t, bool is_copy)
{
    *t = (struct thread){.self = thread_pointer(), .number = (uint64_t)KERNEL(gettid), .is_copy = is_copy};
#if defined(__aarch64__)
    t->below = 4096;
#endif
}

static uint64_t field(const struct python_frames *f, uint64_t object, enum python_field name)
{
    return reader_word(f->reader, object + f->python->layout.offset[name]);
}

static bool is_of_type(const struct python_frames *f, uint64_t object, uint64_t type)
{
    return object && !(object & 7) && field(f, object, OBJECT_TYPE) == type;
}

static uint8_t owner_of(const struct python_frames *f, uint64_t frame)
{
    uint8_t owner = OWNED_BY_C;
    reader_read(f->reader, &owner, frame + f->python->layout.offset[FRAME_OWNER], sizeof owner);
    return owner;
}

/* `current`: the frame in a thread's state. */
static uint64_t innermost_frame(const struct python_frames *f, uint64_t current)
{
    bool by_c_frame = f->python->layout.offset[C_FRAME_FRAME] != NO_OFFSET;
    return by_c_frame && current ? field(f, current, C_FRAME_FRAME) : current;
}

/* The place on the C stack of a thread state's innermost evaluation. Of several interpreters on one thread, the innermost
 * runs. */
static uint64_t place_on_stack(const struct python_frames *f, uint64_t current)
{
    if (f->python->layout.offset[C_FRAME_FRAME] != NO_OFFSET)
        return current;
    for (uint32_t i = 0; i < FRAMES && current; i++) {
        if (owner_of(f, current) >= OWNED_BY_C)
            return current;
        current = field(f, current, FRAME_PREVIOUS);
    }
    return UINT64_MAX;
}

/* A copy of a thread's state, as another thread's state may be freed at any moment. */
struct thread_state {
    uint8_t bytes[THREAD_SPAN];
    uint32_t span;
};

static uint64_t state_field(const struct python_frames *f, const struct thread_state *s,
                            enum python_field name)
{
    uint64_t value;
    copy_bytes(&value, s->bytes + f->python->layout.offset[name], sizeof value);
    return value;
}

/* Computes the copied span of the state. False: an unlikely layout. */
static bool measure_state(const struct python_frames *f, struct thread_state *s)
{
    static const uint8_t asked[] = {THREAD_NEXT, THREAD_ID, THREAD_NATIVE_ID, THREAD_FRAME};
    s->span = 0;
    for (uint32_t i = 0; i < sizeof asked; i++) {
        uint32_t end = f->python->layout.offset[asked[i]] + 8u;
        s->span = end > s->span ? end : s->span;
    }
    return s->span <= sizeof s->bytes;
}

static bool is_state_of(const struct python_frames *f, const struct thread_state *s, const struct thread *t)
{
    return t->self - state_field(f, s, THREAD_ID) <= t->below &&
           (t->is_copy || state_field(f, s, THREAD_NATIVE_ID) == t->number);
}

static uint64_t next_interpreter(const struct python_frames *f, uint64_t interpreter, enum python_field name)
{
    uint64_t next = 0;
    reader_copy(f->reader, &next, interpreter + f->python->layout.offset[name], sizeof next);
    return next;
}

/* This thread's current frame: of the interpreter whose evaluation lies nearest above the call on the stack. */
static uint64_t own_frame(const struct python_frames *f, uint64_t stack, const struct thread *self)
{
    struct thread_state s;
    uint64_t best = 0, nearest = UINT64_MAX;
    uint64_t interpreter = next_interpreter(f, f->python->runtime, RUNTIME_INTERPRETERS);
    uint32_t threads = measure_state(f, &s) ? THREADS : 0;
    for (uint32_t i = 0; i < INTERPRETERS && interpreter; i++) {
        uint64_t thread = next_interpreter(f, interpreter, INTERPRETER_THREADS);
        for (; thread && threads && reader_copy(f->reader, s.bytes, thread, s.span); threads--) {
            uint64_t current = is_state_of(f, &s, self) ? state_field(f, &s, THREAD_FRAME) : 0;
            uint64_t frame = innermost_frame(f, current), place = frame ? place_on_stack(f, current) : 0;
            if (frame && (!best || (place >= stack && place < nearest))) {
                best = frame;
                nearest = place;
            }
            thread = state_field(f, &s, THREAD_NEXT);
        }
        interpreter = next_interpreter(f, interpreter, INTERPRETER_NEXT);
    }
    return best;
}

bool python_frames_begin(struct python_frames *f, struct memory_reader *r, const struct python *python,
                         uint64_t stack, bool is_copy)
{
    struct thread self;
    *f = (struct python_frames){r, python, 0, FRAMES};
    find_self(&self, is_copy);
    /* Twice, as a thread that ends may cut the list during the search. */
    for (uint32_t try = 0; try < 2 && !f->next; try++)
        f->next = own_frame(f, stack, &self);
    return f->next;
}

bool python_frames_next(struct python_frames *f, struct python_frame *frame)
{
    while (f->next && f->left--) {
        uint64_t at = f->next, code = field(f, at, FRAME_CODE) & ~(uint64_t)REFERENCE_TAGS;
        f->next = field(f, at, FRAME_PREVIOUS);
        if (owner_of(f, at) >= OWNED_BY_C || !is_of_type(f, code, f->python->code_type))
            continue;
        uint64_t flags = field(f, code, CODE_FLAGS);
        *frame = (struct python_frame){.is_coroutine = flags & COROUTINES,
                                       .may_await = flags & (COROUTINES | GENERATORS),
                                       .file = field(f, code, CODE_FILE),
                                       .function = field(f, code, CODE_FUNCTION),
                                       .code = code,
                                       .instruction = field(f, at, FRAME_INSTRUCTION)};
        return true;
    }
    f->next = 0;
    return false;
}

uint32_t python_line(const struct python_frames *f, const struct python_frame *frame)
{
    const struct python_layout *l = &f->python->layout;
    uint64_t start = frame->code + l->offset[CODE_START], table = field(f, frame->code, CODE_LINES);
    uint64_t size = field(f, table, BYTES_SIZE), at = table + l->offset[BYTES_START];
    uint32_t first = 0, n;
    uint8_t piece[PIECE];
    struct line_search search;
    if (!is_of_type(f, table, f->python->bytes_type) || size > TABLE_MAX ||
        !reader_read(f->reader, &first, frame->code + l->offset[CODE_FIRST_LINE], sizeof first))
        return 0;
    /* At the beginning of a function, 3.11 and 3.12 point before the first instruction. */
    uint64_t unit = frame->instruction >= start ? (frame->instruction - start) / 2 : 0;
    line_search_begin(&search, first, unit < UINT32_MAX ? (uint32_t)unit : UINT32_MAX);
    for (uint64_t left = size; left; left -= n, at += n) {
        n = left < sizeof piece ? (uint32_t)left : sizeof piece;
        if (!reader_read(f->reader, piece, at, n) || line_search_feed(&search, piece, n))
            break;
    }
    return line_search_end(&search);
}

void put_python_str(const struct python_frames *f, uint64_t str, struct writer *w)
{
    const struct python_layout *l = &f->python->layout;
    uint32_t state = 0;
    uint8_t piece[PIECE];
    struct str_shape shape;
    if (!is_of_type(f, str, f->python->str_type) ||
        !reader_read(f->reader, &state, str + l->offset[STR_STATE], sizeof state) ||
        !str_shape_from(state, &shape))
        return;
    uint64_t left = field(f, str, STR_LENGTH);
    uint64_t at = str + l->offset[shape.is_ascii ? STR_ASCII_START : STR_OTHER_START];
    while (left && !w->full) {
        uint32_t most = sizeof piece / shape.width, count = left < most ? (uint32_t)left : most;
        if (!reader_read(f->reader, piece, at, (uint64_t)count * shape.width))
            return;
        put_str(w, piece, count, shape.width);
        left -= count;
        at += (uint64_t)count * shape.width;
    }
}
