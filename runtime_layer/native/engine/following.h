/* What is to be put in force in place of what is sealed, once it can no longer change: could it have come of that by
 * tightening? Other threads could write to it until then. */
#ifndef SHIELD_FOLLOWING_H
#define SHIELD_FOLLOWING_H

#include "state.h"

bool sealed_follows(const struct sealed *now, const struct sealed *next);

#endif
