/* Names that a program looks up to identify itself and its peers: the machine's own name, and reverse names of addresses (RFC
 * 1035, 3.5; RFC 3596, 2.5). */
#ifndef SHIELD_MACHINE_NAMES_H
#define SHIELD_MACHINE_NAMES_H

#include "endpoint.h"
#include "text.h"

/* Whether a lower-case name is `host`, `host` in one of the `domains`, which blanks separate (resolv.conf(5), search), or
 * "localhost" (RFC 6761, 6.3). */
bool is_machine_name(struct text name, struct text host, struct text domains);
/* The address in a reverse name, as in 4.3.2.1.in-addr.arpa. False: it is no reverse name, or not a whole one. */
bool read_reverse_name(struct text name, struct address *out);

#endif
