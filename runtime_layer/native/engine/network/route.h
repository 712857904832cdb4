/* Whether a packet to an IPv6 address could leave at all. */
#ifndef SHIELD_ROUTE_H
#define SHIELD_ROUTE_H

#include <stdbool.h>

#include "../../core/endpoint.h"

/* Does the kernel say that no route leads there (rtnetlink(7), RTM_GETROUTE)? False also where it cannot be asked. */
bool has_no_route(const struct address *ip);

#endif
