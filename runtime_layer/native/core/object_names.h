/* The names of libraries and programs in entries of allow_executable_memory. */
#ifndef SHIELD_OBJECT_NAMES_H
#define SHIELD_OBJECT_NAMES_H

#include "text.h"

enum { OBJECT_NAME_MAX = 64 };

/* The object in a file (its name without folders): up to the first dot, without the hash that auditwheel adds, as both
 * differ between versions: libffi-8a8b1c2d.so.8 is libffi. */
struct text object_name(struct text file_name);
/* Whether an entry can name it: up to 64 letters, digits, _, - and +. */
bool is_object_name(struct text name);
/* Writes the entry for the object in a file; nothing where no entry can name it. */
void put_object_entry(struct writer *w, struct text file_name);

#endif
