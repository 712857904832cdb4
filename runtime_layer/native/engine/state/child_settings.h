/* Keeps the settings that an allowed child gets, whatever its environment is. */
#ifndef SHIELD_CHILD_SETTINGS_H
#define SHIELD_CHILD_SETTINGS_H

#include "sealed_state.h"

/* The prefix of variables with facts that a process passes to its children. */
#define STATE_PREFIX "SHIELD_STATE_"
#define KNOWN_SITES STATE_PREFIX "SITES"    /* site_cache.h */
#define LEARNED_NAMES STATE_PREFIX "LEARNT" /* core/learned_addresses.h */

/* Keeps a text, and returns its offset; 0: it is empty, or there is no room. */
uint16_t keep_text(struct kept_texts *texts, struct text t);
/* Keeps `NAME=value`, and returns the offset of the value; 0: there is no room. */
uint16_t keep_setting(struct kept_texts *texts, struct text prefix, struct text name, struct text value);
/* Replaces the setting of this name. False: there is no room. */
bool replace_setting(struct kept_texts *texts, struct text name, struct text value);

#endif
