/* Memory that a jump reaches from a text: 128 MB either way on aarch64, where a process with many threads may have
 * little room left. */
#ifndef SHIELD_NEARBY_H
#define SHIELD_NEARBY_H

#include <stdint.h>

/* `size` bytes, to be read and written, less than `reach` from everything in [low, high); 0 when there is no room. */
uint64_t nearby_memory(uint64_t low, uint64_t high, uint64_t size, uint64_t reach);

#endif
