/* Look-ups by which programs learn who they are, and who is at the other end: drivers, log libraries and runtimes ask them on
 * their own. They pass without a line where they tell the name server nothing that is not known or allowed. */
#ifndef SHIELD_SELF_LOOKUP_H
#define SHIELD_SELF_LOOKUP_H

#include <stdbool.h>

#include "../../core/text.h"

/* Is it the machine's own name, or the name of an address that is loopback, the machine's own, or may be reached? */
bool is_self_lookup(struct text name);

#endif
