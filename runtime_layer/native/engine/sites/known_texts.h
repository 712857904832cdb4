/* The system calls of C libraries that the build has searched already: known_texts_table.h, by `make known-libcs`.
 *
 * Nothing is trusted for its name: every byte of what was mapped is hashed, and what differs is searched as ever. The hash is
 * no cryptographic one: whoever builds a libc into a container image can give it that of a known one (docs/security/limits.md).
 * Which of the calls are guarded is not in the table: it holds them all, and this engine's own list decides.
 */
#ifndef SHIELD_KNOWN_TEXTS_H
#define SHIELD_KNOWN_TEXTS_H

#include "sites.h"

/* `size` bytes, a multiple of 32, of the file from `offset` on, as they lie in memory. As find_sites: calls `each` for every
 * site. False: it is not one that is known, and nothing was called. */
bool find_sites_of_known_text(const uint8_t *text, uint64_t size, uint64_t offset,
                              void (*each)(void *context, const struct site *site), void *context);

#endif
