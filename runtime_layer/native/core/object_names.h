/* The names by which entries of allow_executable_memory call libraries and programs. */
#ifndef SHIELD_OBJECT_NAMES_H
#define SHIELD_OBJECT_NAMES_H

#include "text.h"

enum { OBJECT_NAME_MAX = 64 };

/* The object in a file (its name without folders): up to the first dot, without the hash that auditwheel adds
 * (libffi-8a8b1c2d.so.8 is libffi), as both differ from one version to the next. */
struct text object_name(struct text file_name);
/* Can an entry name it: up to 64 letters, digits, _, - and +? */
bool is_object_name(struct text name);
/* The entry for the object in a file; nothing where none can name it. */
void put_object_entry(struct writer *w, struct text file_name);

#endif
