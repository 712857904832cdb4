/* Finds branches into a function from elsewhere. */
#ifndef SHIELD_INCOMING_EDGES_H
#define SHIELD_INCOMING_EDGES_H

#include "code_region.h"

/* Adds to a completely decoded function the branches that lead into it from elsewhere: from its cold part, which a compiler
 * places elsewhere, and by the tables of its switches.
 *
 * Measured worth: refusing each function with an indirect jump instead would refuse glibc 2.31, 2.36 and 2.41 themselves (8 to
 * 11 sites each), the loader of 2.36, and of 90 popular wheels and 45 npm packages with native code 3 each; refusing functions
 * with parts elsewhere, another 5 to 18 sites of each glibc.
 */
void add_incoming_edges(struct image image, struct code *c);

#endif
