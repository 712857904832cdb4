/* What judging mappings has in common. */
#ifndef SHIELD_MAPPINGS_H
#define SHIELD_MAPPINGS_H

#include "report.h"

/* Executable memory, or something that the engine relies on. Reports. `path`: the file's; empty: none. */
bool memory_refused(const struct call *call, enum policy_id id, struct text path);

#endif
