/* The packages that a call to a host should come through: what stands behind ` by ` in an entry of allow_outbound, such as
 * `requests>app or boto3`. Each alternative is a chain, from the inside outward, as `caller.through` of a line has it.
 *
 * Code can fake its packages: no verdict depends on them. */
#ifndef SHIELD_PACKAGES_H
#define SHIELD_PACKAGES_H

#include "alert.h"

enum { PACKAGES_LONGEST = 400 };

/* Cuts an entry at ` by `. False: it names no packages. */
bool packages_cut(struct text *entry, struct text *packages);
/* Writes the canonical form: no blanks but those around `or`. False: `error` says why it is none, and the fix. */
bool packages_canonical(struct text packages, struct writer *canonical, struct writer *error);
/* Has the call one of the chains, its packages next to each other? `packages` is canonical. */
bool packages_name(struct text packages, const struct source_place *place);

#endif
