/* The system calls of C libraries that the build has searched already: known_texts_table.h, by `make known-libcs`.
 *
 * Nothing is trusted for its name: every byte of what was mapped is hashed, and what differs in one is searched as ever.
 * Which of the calls are guarded is not in the table: it holds them all, and this engine's own list decides.
 */
#ifndef SHIELD_KNOWN_TEXTS_H
#define SHIELD_KNOWN_TEXTS_H

#include "sites.h"

/* `size` bytes, a multiple of 32, of the file from `offset` on, as they lie in memory. As find_sites: calls `each` for every
 * site. False: it is not one that is known, and nothing was called. */
bool find_known_sites(const uint8_t *text, uint64_t size, uint64_t offset,
                      void (*each)(void *context, const struct site *site), void *context);

#endif
