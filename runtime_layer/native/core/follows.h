/* Whether one policy could have come of another by tightening (tighten.h), and by nothing else.
 *
 * A policy is tightened in memory that other threads can write to. Before it is put in force it can no longer change, and
 * is compared with the one that is in force, which never could: what is looser anywhere is refused, whoever made it so.
 */
#ifndef SHIELD_FOLLOWS_H
#define SHIELD_FOLLOWS_H

#include "policy.h"

bool policy_follows(const struct policy *now, const struct policy *next);
/* May children be given this setting (`SHIELD_X=value`) under `next`? */
bool setting_follows(const struct policy *now, const struct policy *next, struct text setting);

#endif
