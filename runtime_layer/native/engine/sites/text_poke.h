/* Writes over writable code, so that a thread that runs it sees the old or the new instruction, never a mixture. */
#ifndef SHIELD_TEXT_POKE_H
#define SHIELD_TEXT_POKE_H

#include <stdbool.h>
#include <stdint.h>

/* Writes at most 8 bytes. `shared`: other threads may be running the code. */
bool write_code(uint64_t at, const uint8_t *bytes, uint32_t n, bool shared);

#endif
