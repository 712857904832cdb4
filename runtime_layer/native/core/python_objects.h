/* Lines of code and texts of CPython's objects, read from copies of their bytes. */
#ifndef SHIELD_PYTHON_OBJECTS_H
#define SHIELD_PYTHON_OBJECTS_H

#include "text.h"

/* The line of one unit (two bytes) of a code object, by its table of locations (Objects/locations.md of CPython), which is
 * given piece by piece. */
struct line_search {
    uint32_t unit; /* that is looked for */
    uint32_t line, units, seen;
    uint32_t kind, number, shift; /* of the entry at hand */
    bool in_entry, in_number, found;
};
void line_search_begin(struct line_search *s, uint32_t first_line, uint32_t unit);
/* True: it is found, and the rest of the table does not matter. */
bool line_search_feed(struct line_search *s, const uint8_t *bytes, uint32_t n);
/* After the last piece. 0: the unit has no line, or the table does not reach to it. */
uint32_t line_search_end(struct line_search *s);

/* How a str is stored (PEP 393), by the word with its state. */
struct str_shape {
    uint32_t width; /* bytes of a character: 1, 2 or 4 */
    bool is_ascii;
};
/* False: its characters do not lie behind its head. */
bool str_shape_from(uint32_t state, struct str_shape *shape);
/* `count` characters of that width as UTF-8, cut at a whole character if they do not fit. */
void put_str(struct writer *w, const uint8_t *characters, uint32_t count, uint32_t width);

#endif
