#include "node_lines.h"

enum { TABLE_MAX = 1 << 20, SOURCE_MAX = 1 << 20, PIECE = 256, LINES_MAX = 1 << 24 };
enum { UNKNOWN = -1 };
enum { POINTER_TAG = 1 };

/* The bytes of a table, one after the other. */
struct table {
    struct memory_reader *reader;
    uint64_t at, left; /* of what is not in `piece` yet */
    uint32_t used, have;
    uint8_t piece[PIECE];
};

/* False: it is no table, or too long. */
static bool table_begin(struct table *t, const struct node_heap *h, uint64_t array)
{
    uint32_t length = heap_number(h, array, ARRAY_LENGTH, TABLE_MAX);
    *t = (struct table){.reader = h->reader, .at = array - POINTER_TAG + ARRAY_START, .left = length};
    return heap_type(h, array) == h->layout->bytes && length <= TABLE_MAX;
}

static bool table_next(struct table *t, uint8_t *byte)
{
    if (t->used == t->have) {
        uint32_t n = t->left < PIECE ? (uint32_t)t->left : PIECE;
        if (!n || !reader_read(t->reader, t->piece, t->at, n))
            return false;
        t->at += n;
        t->left -= n;
        t->have = n;
        t->used = 0;
    }
    *byte = t->piece[t->used++];
    return true;
}

/* Seven bits a byte, the lowest ones first; the top bit says that there are more. */
static bool table_number(struct table *t, uint64_t *number)
{
    uint8_t byte = 0x80;
    *number = 0;
    for (uint32_t shift = 0; byte & 0x80 && shift < 35; shift += 7) {
        if (!table_next(t, &byte))
            return false;
        *number |= (uint64_t)(byte & 0x7f) << shift;
    }
    return true;
}

/* The same with the sign in the lowest bit. */
static bool table_difference(struct table *t, int64_t *difference)
{
    uint64_t number;
    if (!table_number(t, &number))
        return false;
    *difference = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
    return true;
}

/* Where in the source a bytecode stands: of the entry that is the last not behind it. An entry is two differences, of the offset,
 * which says by its sign whether a statement begins, and of the place: in front of all is the function itself, at -1. */
static int64_t source_position(const struct node_heap *h, uint64_t bytecode, uint64_t offset)
{
    struct table t;
    int64_t at = -1, place = 0, found = UNKNOWN, step, further;
    if (!table_begin(&t, h, heap_field(h, bytecode, h->layout->bytecode_positions)))
        return UNKNOWN;
    while (table_difference(&t, &step) && table_difference(&t, &further)) {
        at += step >= 0 ? step : -(step + 1);
        place += further;
        if (at > (int64_t)offset)
            break;
        found = (place >> 1 & 0x3fffffff) - 1; /* in the lowest bit: whether it is in another file */
    }
    return found;
}

/* The bytecode with its prefix, as V8's interpreter reads them: how long it is. 0: it is none. */
static uint32_t bytecode_length(const struct node_heap *h, uint64_t at)
{
    enum { PREFIXES = 4 }; /* two, and how a debugger marks them */
    uint8_t code[2];
    if (!reader_read(h->reader, code, at, sizeof code))
        return 0;
    if (code[0] >= PREFIXES)
        return v8_bytecode_size(h->layout->version, code[0], 1);
    uint32_t length = v8_bytecode_size(h->layout->version, code[1], code[0] & 1 ? 4 : 2);
    return length ? length + 1 : 0;
}

/* What Sparkplug compiled, it compiled one bytecode after the other: a table says how long the code of each is, and first of what
 * is in front of all. False: `back` is not in such code. */
static bool find_in_compiled(const struct node_heap *h, const struct node_frame *frame, uint64_t *bytecode,
                             uint64_t *offset)
{
    const struct v8_layout *l = h->layout;
    uint64_t code = heap_field(h, frame->shared, SHARED_CODE), step, compiled = 0;
    uint64_t start = heap_field(h, code, l->code_start);
    uint32_t size = (uint32_t)heap_field(h, code, l->code_size);
    struct table t;
    if (!l->code_size || heap_type(h, code) != l->code || frame->back <= start || frame->back - start > size)
        return false;
    *bytecode = heap_field(h, code, CODE_BYTECODE);
    *offset = 0;
    uint32_t length = heap_number(h, *bytecode, BYTECODE_LENGTH, TABLE_MAX), own;
    if (heap_type(h, *bytecode) != l->bytecode || !table_begin(&t, h, heap_field(h, code, CODE_PLACES)))
        return false;
    for (bool in_front = true; *offset < length && table_number(&t, &step); in_front = false) {
        compiled += step;
        if (compiled >= frame->back - start)
            return true;
        own = in_front ? 0 : bytecode_length(h, *bytecode - POINTER_TAG + l->bytecode_start + *offset);
        if (!own && !in_front)
            return false;
        *offset += own;
    }
    return false;
}

static bool is_line_end(uint32_t c, uint32_t before)
{
    return c == '\n' || (before == '\r' && c != '\n') || c == 0x2028 || c == 0x2029;
}

/* Eight characters none of which ends a line: all are above those that do ("Bit Twiddling Hacks", hasless). They are loaded by
 * one instruction; a function's call would take most of the time. */
static bool is_plain(const uint8_t *characters)
{
    const uint64_t each = ~0ull / 255;
    uint64_t word;
    __builtin_memcpy(&word, characters, sizeof word);
    return !((word - each * ('\r' + 1)) & ~word & each * 128);
}

/* The same of four characters of two bytes. */
static bool is_plain_wide(const uint8_t *characters)
{
    const uint64_t each = ~0ull / 65535, top = each << 15;
    uint64_t word, separators;
    __builtin_memcpy(&word, characters, sizeof word);
    separators = word ^ each * 0x2028; /* and 0x2029 */
    return !((((word - each * ('\r' + 1)) & ~word) | ((separators - each * 2) & ~separators)) & top);
}

struct line_count {
    uint32_t count, before; /* the last character */
};

static void count_piece(struct line_count *l, const uint8_t *piece, uint32_t n, uint32_t width)
{
    for (uint32_t i = 0; i < n; i++) {
        while (width == 1 && l->before != '\r' && n - i > 8 && is_plain(piece + i))
            i += 8;
        while (width == 2 && l->before != '\r' && n - i > 4 && is_plain_wide(piece + 2 * i))
            i += 4;
        uint32_t c = width == 1 ? piece[i] : piece[2 * i] | (uint32_t)piece[2 * i + 1] << 8;
        l->count += is_line_end(c, l->before);
        l->before = c;
    }
}

/* How many lines end in front of the position. UNKNOWN: the source is not to be had, or it is too far down. */
static int64_t count_line_ends(const struct node_heap *h, uint64_t source, uint32_t position)
{
    struct characters c;
    struct line_count lines = {0, 0};
    uint8_t piece[2 * PIECE];
    uint32_t n;
    if (!string_characters(h, source, &c) || position > c.count || position > SOURCE_MAX)
        return UNKNOWN;
    for (uint32_t done = 0; done < position; done += n) {
        n = position - done < sizeof piece / c.width ? position - done : (uint32_t)sizeof piece / c.width;
        if (!reader_read(h->reader, piece, c.at + (uint64_t)done * c.width, (uint64_t)n * c.width))
            return UNKNOWN;
        count_piece(&lines, piece, n, c.width);
    }
    return lines.count + (lines.before == '\r'); /* no code begins with the other half of a line's end */
}

/* V8 keeps where lines end once it was asked for a stack. */
static int64_t find_line_ends(const struct node_heap *h, uint64_t ends, uint32_t position)
{
    uint32_t low = 0, high = heap_number(h, ends, ARRAY_LENGTH, LINES_MAX);
    if (!high || high > LINES_MAX || heap_type(h, ends) != h->layout->array)
        return UNKNOWN;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (heap_number(h, ends, ARRAY_START + 8 * middle, INT32_MAX) >= position)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint32_t node_line(const struct node_frames *f, const struct node_frame *frame)
{
    const struct node_heap *h = &f->heap;
    uint64_t bytecode = frame->bytecode, offset = frame->offset >> 32;
    uint32_t start = h->layout->bytecode_start - POINTER_TAG;
    bool is_interpreted = is_small_number(frame->offset) && heap_type(h, bytecode) == h->layout->bytecode;
    if (is_interpreted && offset >= start)
        offset -= start;
    else if (!find_in_compiled(h, frame, &bytecode, &offset))
        return 0;
    int64_t position = source_position(h, bytecode, offset);
    if (position < 0)
        return 0;
    int64_t before = find_line_ends(h, heap_field(h, frame->script, SCRIPT_LINE_ENDS), (uint32_t)position);
    if (before == UNKNOWN)
        before = count_line_ends(h, heap_field(h, frame->script, SCRIPT_SOURCE), (uint32_t)position);
    uint32_t in_front = heap_number(h, frame->script, SCRIPT_LINE_OFFSET, LINES_MAX);
    return before == UNKNOWN ? 0 : (uint32_t)before + 1 + (in_front > LINES_MAX ? 0 : in_front);
}
