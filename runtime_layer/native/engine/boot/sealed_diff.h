/* What is to be put in force in place of what is sealed, once it can no longer change: could it have come of that by
 * tightening? Other threads could write to it until then. */
#ifndef SHIELD_SEALED_DIFF_H
#define SHIELD_SEALED_DIFF_H

#include "../state/sealed_state.h"

bool sealed_follows(const struct sealed *now, const struct sealed *next);

#endif
