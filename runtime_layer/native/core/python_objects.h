/* Reads line numbers and strings from copies of CPython's objects. */
#ifndef SHIELD_PYTHON_OBJECTS_H
#define SHIELD_PYTHON_OBJECTS_H

#include "text.h"

/* Finds the line of one unit (two bytes) of a code object in its table of locations (Objects/locations.md of CPython), which
 * is fed piece by piece. */
struct line_search {
    uint32_t unit; /* the wanted one */
    uint32_t line, units, seen;
    uint32_t kind, number, shift; /* of the current entry */
    bool in_entry, in_number, found;
};
void line_search_begin(struct line_search *s, uint32_t first_line, uint32_t unit);
/* True: the line is found, and the rest of the table does not matter. */
bool line_search_feed(struct line_search *s, const uint8_t *bytes, uint32_t n);
/* The line, after the last piece. 0: the unit has no line, or the table ends before it. */
uint32_t line_search_end(struct line_search *s);

/* The storage of a str (PEP 393), by the word with its state. */
struct str_shape {
    uint32_t width; /* bytes of a character: 1, 2 or 4 */
    bool is_ascii;
};
/* False: its characters do not follow its header. */
bool str_shape_from(uint32_t state, struct str_shape *shape);
/* `count` characters of that width as UTF-8, cut at a whole character if they do not fit. */
void put_str(struct writer *w, const uint8_t *characters, uint32_t count, uint32_t width);

#endif
