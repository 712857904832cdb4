/* The exported function for code (docs/guide/migrating-from-functionshield.md): arms this process, or tightens its policy. */
#ifndef SHIELD_CONFIGURE_H
#define SHIELD_CONFIGURE_H

#include <stdint.h>

/* `lines`: the policy's fields as SHIELD_NAME=value lines. 0: the policy is in force. 1: nothing has changed, and `reason`, of
 * `cap` bytes, at least one, has the field and the fix, and ends in a NUL.
 *
 * Any caller can arm a process that is not armed, and make the modes stricter in an armed one.
 */
__attribute__((visibility("default"))) int32_t shield_configure(const char *lines, uint64_t len, char *reason,
                                                                uint64_t cap);

#endif
