/* From where else control comes into a function. */
#ifndef SHIELD_INCOMING_EDGES_H
#define SHIELD_INCOMING_EDGES_H

#include "code_region.h"

/* Adds to the branches of a function, all of which is decoded, those that lead into it from elsewhere: from the part of it
 * that a compiler puts elsewhere because it rarely runs, and by the tables of its switches. */
void join_arrivals(struct image image, struct code *c);

#endif
