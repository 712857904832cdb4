/* Names that a program looks up to identify itself and its peers: the machine's own name, and the names of addresses (RFC 1035,
 * 3.5; RFC 3596, 2.5). */
#ifndef SHIELD_MACHINE_NAMES_H
#define SHIELD_MACHINE_NAMES_H

#include "endpoint.h"
#include "text.h"

/* Is this name, in lower case, `host` or one of the names that a resolver makes of it: `host` in one of the domains, which
 * blanks part (resolv.conf(5), search)? Or "localhost" (RFC 6761, 6.3)? */
bool is_machine_name(struct text name, struct text host, struct text domains);
/* The address in a reverse name, as in 4.3.2.1.in-addr.arpa. False: it is no reverse name, or not a whole one. */
bool read_reverse_name(struct text name, struct address *out);

#endif
