/* What an allowed child gets back, whatever environment it was given: texts in the pool of the sealed state, written before
 * that is sealed. */
#ifndef SHIELD_CHILD_SETTINGS_H
#define SHIELD_CHILD_SETTINGS_H

#include "sealed_state.h"

/* How the names of facts begin that a process finds out for its children. */
#define STATE_PREFIX "SHIELD_STATE_"
#define KNOWN_SITES STATE_PREFIX "SITES"   /* site_cache.h */
#define LEARNT_NAMES STATE_PREFIX "LEARNT" /* core/learnt_addresses.h */

/* Keeps a text. Its offset; 0: there is no room. */
uint16_t keep_text(struct text t);
/* Keeps `NAME=value`, the name behind a prefix. False: there is no room. */
bool keep_setting(struct text prefix, struct text name, struct text value);
/* Puts a setting in the place of what there was under its name. False: there is no room. */
bool replace_setting(struct sealed *s, struct text name, struct text value);

#endif
