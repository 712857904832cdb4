/* Recognises look-ups of a program's own host and of its peers, which drivers, log libraries and runtimes make. They pass
 * without a line where the name carries no information to the name server. */
#ifndef SHIELD_SELF_LOOKUP_H
#define SHIELD_SELF_LOOKUP_H

#include <stdbool.h>

#include "../../core/text.h"

/* Whether it is the machine's own name, or the reverse name of an address that is loopback, the machine's own, or admitted. */
bool is_self_lookup(struct text name);

#endif
