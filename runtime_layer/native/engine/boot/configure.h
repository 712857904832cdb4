/* The way in for code (docs/guide/migrating-from-functionshield.md): arms this process late, or tightens its policy. */
#ifndef SHIELD_CONFIGURE_H
#define SHIELD_CONFIGURE_H

#include <stdint.h>

/* `lines`: the policy's fields as SHIELD_NAME=value lines. 0: it is in force. 1: nothing has changed, and `reason`, which
 * ends in a NUL, names the field and the fix.
 *
 * The caller may be anybody: all that it can do is to arm a process that is not armed, and to take things away in one
 * that is. */
__attribute__((visibility("default"))) int32_t shield_configure(const char *lines, uint64_t len, char *reason,
                                                                uint64_t cap);

#endif
