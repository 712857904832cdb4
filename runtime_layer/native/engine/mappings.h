/* Executable memory: what becomes executable is scanned before it can run, and the engine's own pages and the
 * text that it patched stay as they are. */
#ifndef SHIELD_MAPPINGS_H
#define SHIELD_MAPPINGS_H

#include "patch.h"

/* Pages that nobody may change, unmap or make writable. False when the table is full. */
bool protect_range(uint64_t low, uint64_t high);
/* Text that may not become writable, nor be thrown away and read again from the file. When it is unmapped, the range
 * of its trampolines, which begins there, goes too. */
bool protect_text(uint64_t low, uint64_t high, uint64_t trampolines);

/* Scans and patches one executable mapping of an open file. */
bool patch_file_mapping(int32_t file, uint64_t file_offset, uint64_t low, uint64_t high, struct patch *patch);

#endif
