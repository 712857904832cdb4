/* Path patterns of allow_tmp. */
#ifndef SHIELD_GLOB_H
#define SHIELD_GLOB_H

#include "text.h"

/* `*` and `?` match within a component, `**` across components. A pattern that matches a directory admits files below it
 * only when it ends in a slash and stars. One that ends in a slash and two stars admits the directory too, so that a
 * program may create it. */
bool glob_match(struct text pattern, struct text path);

#endif
