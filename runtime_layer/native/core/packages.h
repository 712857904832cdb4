/* The packages that a call to a host should come through: the part behind ` by ` in an entry of allow_outbound, such as
 * `requests>app or boto3`. Each alternative is a chain, from the inside outward, as in `caller.through` of a line.
 *
 * Code can fake its packages, so no verdict depends on them. */
#ifndef SHIELD_PACKAGES_H
#define SHIELD_PACKAGES_H

#include "alert.h"

enum { PACKAGES_LONGEST = 400 };

/* Cuts an entry at ` by `. False: it names no packages. */
bool packages_cut(struct text *entry, struct text *packages);
/* Writes the canonical form: blanks around `or` only. False: `error` has the mistake and the fix. */
bool packages_canonical(struct text packages, struct writer *canonical, struct writer *error);
/* Whether the call's packages hold one of the chains without gaps. `packages` is canonical. */
bool packages_name(struct text packages, const struct source_place *place);

#endif
