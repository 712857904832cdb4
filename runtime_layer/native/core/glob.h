/* Path patterns of allow_tmp. */
#ifndef SHIELD_GLOB_H
#define SHIELD_GLOB_H

#include "text.h"

/* `*` and `?` within a component, `**` across components; a pattern that matches a directory admits files
 * below it only when it ends in a slash-star form. One that ends in slash and two stars admits the directory
 * too, so that a program may make it. */
bool glob_match(struct text pattern, struct text path);

#endif
