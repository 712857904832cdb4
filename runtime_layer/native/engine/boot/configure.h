/* The way in for code (docs/guide/migrating-from-functionshield.md): arms this process late, or tightens its policy. */
#ifndef SHIELD_CONFIGURE_H
#define SHIELD_CONFIGURE_H

#include <stdint.h>

/* `lines`: the policy's fields as SHIELD_NAME=value lines. 0: it is in force. 1: nothing has changed, and `reason`, of `cap`
 * bytes, at least one, ends in a NUL and names the field and the fix.
 *
 * Any caller can arm a process that is not armed, and make the modes stricter in one that is.
 */
__attribute__((visibility("default"))) int32_t shield_configure(const char *lines, uint64_t len, char *reason,
                                                                uint64_t cap);

#endif
