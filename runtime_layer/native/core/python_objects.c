/* Reads the objects of CPython; see python_objects.h.
 * Tests: tests/unit/core/test_python_objects.py, tests/lab/fuzz/frames.c. */
#include "python_objects.h"

/* The first byte of an entry, the only one with the top bit, has its kind and its number of units. */
enum {
    ENTRY = 0x80,
    NO_LOCATION = 15,
    LONG_FORM = 14,
    NO_COLUMNS = 13,
    FIRST_ONE_LINE = 10,
    LAST_ONE_LINE = 12
};

void line_search_begin(struct line_search *s, uint32_t first_line, uint32_t unit)
{
    *s = (struct line_search){.unit = unit, .line = first_line};
}

/* Applies the current entry, which is whole. */
static void finish_entry(struct line_search *s)
{
    if (s->kind >= FIRST_ONE_LINE && s->kind <= LAST_ONE_LINE)
        s->line += s->kind - FIRST_ONE_LINE;
    if (s->kind == LONG_FORM || s->kind == NO_COLUMNS)
        s->line += s->number & 1 ? -(s->number >> 1) : s->number >> 1;
    s->found = s->unit - s->seen < s->units;
    s->seen += s->units;
    s->in_entry = false;
}

static void begin_entry(struct line_search *s, uint8_t byte)
{
    s->kind = byte >> 3 & 15;
    s->units = (byte & 7u) + 1;
    s->number = s->shift = 0;
    s->in_entry = true;
    s->in_number = s->kind == LONG_FORM || s->kind == NO_COLUMNS;
}

/* The first number of an entry is its distance in lines: six bits a byte, the lowest first; bit 0 is the sign. */
static void take_number(struct line_search *s, uint8_t byte)
{
    if (s->shift < 30)
        s->number |= (byte & 63u) << s->shift;
    s->shift += 6;
    s->in_number = byte & 64;
}

bool line_search_feed(struct line_search *s, const uint8_t *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n && !s->found; i++) {
        if (!(bytes[i] & ENTRY)) {
            if (s->in_number)
                take_number(s, bytes[i]);
            continue;
        }
        if (s->in_entry)
            finish_entry(s);
        if (!s->found)
            begin_entry(s, bytes[i]);
    }
    return s->found;
}

uint32_t line_search_end(struct line_search *s)
{
    if (s->in_entry && !s->found)
        finish_entry(s);
    return s->found && s->kind != NO_LOCATION ? s->line : 0;
}

/* From the lowest bit: interned:2 kind:3 compact:1 ascii:1, in each version with a GIL. */
bool str_shape_from(uint32_t state, struct str_shape *shape)
{
    bool is_compact = state >> 5 & 1;
    *shape = (struct str_shape){state >> 2 & 7, state >> 6 & 1};
    return is_compact && (shape->width == 1 || shape->width == 2 || shape->width == 4);
}

static uint32_t character_at(const uint8_t *characters, uint32_t index, uint32_t width)
{
    uint32_t c = 0;
    for (uint32_t i = 0; i < width; i++)
        c |= (uint32_t)characters[index * width + i] << 8 * i;
    return c;
}

void put_str(struct writer *w, const uint8_t *characters, uint32_t count, uint32_t width)
{
    for (uint32_t i = 0; i < count && !w->full; i++) {
        uint32_t c = character_at(characters, i, width);
        put_code_point(w, c < 0x110000 ? c : 0xfffd);
    }
}
