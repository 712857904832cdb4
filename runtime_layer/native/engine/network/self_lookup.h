/* Look-ups of a program's own host and of its peers, which drivers, log libraries and runtimes make unasked. They pass without
 * a line where they tell the name server nothing that is not known or allowed. */
#ifndef SHIELD_SELF_LOOKUP_H
#define SHIELD_SELF_LOOKUP_H

#include <stdbool.h>

#include "../../core/text.h"

/* Is it the machine's own name, or the name of an address that is loopback, the machine's own, or may be reached? */
bool is_self_lookup(struct text name);

#endif
