#include "node_heap.h"

/* A string's type is below 128: how it is kept in the lowest three bits, then whether a character takes one byte. */
enum { STRING_TYPES = 128, HOW_KEPT = 7, ONE_BYTE = 8 };
enum { IN_ONE_PIECE = 0, OF_TWO = 1, OUTSIDE = 2, PART = 3, STANDS_FOR = 5 };
enum {
    STRING_LENGTH = 12,
    STRING_START = 16,
    FIRST = 16, /* of two; the whole of a part; what one stands for */
    SECOND = 24,
    PART_BEGIN = 24,
    OUTSIDE_AT = 24
};
enum { TAG = 1, TAGS = 3, FUNCTION_TYPES = 24, STEPS = 32, PARTS = 8, PIECE = 256 };

static bool is_object(uint64_t value)
{
    return (value & TAGS) == TAG;
}

uint64_t heap_field(const struct node_heap *h, uint64_t object, uint32_t offset)
{
    return is_object(object) ? reader_word(h->reader, object - TAG + offset) : 0;
}

uint32_t heap_type(const struct node_heap *h, uint64_t object)
{
    uint16_t type = 0;
    uint64_t map = heap_field(h, object, 0);
    return is_object(map) && reader_read(h->reader, &type, map - TAG + TYPE_OF_MAP, sizeof type) ? type : 0;
}

bool is_js_function(const struct node_heap *h, uint64_t object)
{
    uint32_t type = heap_type(h, object);
    return type - h->layout->function < FUNCTION_TYPES &&
           heap_type(h, heap_field(h, object, h->layout->function_shared)) == h->layout->shared;
}

uint32_t heap_number(const struct node_heap *h, uint64_t object, uint32_t offset, uint32_t most)
{
    uint64_t value = heap_field(h, object, offset);
    return is_small_number(value) && value >> 32 <= most ? (uint32_t)(value >> 32) : most + 1;
}

static bool is_js_string(const struct node_heap *h, uint64_t object)
{
    uint64_t map = heap_field(h, object, 0);
    return is_object(map) && heap_type(h, object) < STRING_TYPES;
}

bool string_characters(const struct node_heap *h, uint64_t string, struct characters *c)
{
    uint64_t skipped = 0;
    *c = (struct characters){0, 0, 0};
    for (uint32_t i = 0; i < STEPS && is_js_string(h, string); i++) {
        uint32_t type = heap_type(h, string);
        if (!i && !reader_read(h->reader, &c->count, string - TAG + STRING_LENGTH, sizeof c->count))
            return false;
        c->width = type & ONE_BYTE ? 1 : 2;
        switch (type & HOW_KEPT) {
        case IN_ONE_PIECE: c->at = string - TAG + STRING_START + skipped * c->width; return true;
        case OUTSIDE: c->at = heap_field(h, string, OUTSIDE_AT) + skipped * c->width; return true;
        case PART: skipped += heap_number(h, string, PART_BEGIN, INT32_MAX); break;
        case OF_TWO: /* in one piece if the second is empty, but for its length that is the other's */
            if (heap_field(h, heap_field(h, string, SECOND), ARRAY_LENGTH) >> 32)
                return false;
            break;
        case STANDS_FOR: break;
        default: return false;
        }
        string = heap_field(h, string, FIRST);
    }
    return false;
}

/* UTF-16 in pairs (RFC 2781); half a pair is no character. */
static uint32_t put_pair(struct writer *w, uint32_t high, uint32_t unit)
{
    bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;
    if (high)
        put_code_point(w, is_low ? 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ff)) : 0xfffd);
    if (is_high)
        return unit;
    if (!is_low || !high)
        put_code_point(w, is_low ? 0xfffd : unit);
    return 0;
}

static void put_characters(const struct node_heap *h, struct characters c, struct writer *w)
{
    uint8_t piece[PIECE];
    uint32_t high = 0, most = PIECE / c.width;
    while (c.count && !w->full) {
        uint32_t n = c.count < most ? c.count : most;
        if (!reader_read(h->reader, piece, c.at, (uint64_t)n * c.width))
            return;
        for (uint32_t i = 0; i < n && !w->full; i++)
            high =
                put_pair(w, high, c.width == 1 ? piece[i] : piece[2 * i] | (uint32_t)piece[2 * i + 1] << 8);
        c.count -= n;
        c.at += (uint64_t)n * c.width;
    }
    if (high)
        put_code_point(w, 0xfffd);
}

void put_js_string(const struct node_heap *h, uint64_t string, struct writer *w)
{
    uint64_t waiting[PARTS];
    uint32_t count = 0;
    struct characters c;
    for (uint32_t i = 0; i < STEPS && !w->full; i++) {
        if (!is_js_string(h, string))
            return;
        if ((heap_type(h, string) & HOW_KEPT) == OF_TWO) {
            if (count == PARTS)
                return;
            waiting[count++] = heap_field(h, string, SECOND);
            string = heap_field(h, string, FIRST);
            continue;
        }
        if (!string_characters(h, string, &c))
            return;
        put_characters(h, c, w);
        if (!count)
            return;
        string = waiting[--count];
    }
}
