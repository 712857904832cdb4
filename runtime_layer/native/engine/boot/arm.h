/* Arms the shield in this process, for the constructor and for configure (configure.c). */
#ifndef SHIELD_ARM_H
#define SHIELD_ARM_H

#include "../sites/loaded_objects.h"
#include "environment_policy.h"

/* False: start->error has the reason. Where objects->patched is not 0 then, this process is half shielded. */
bool arm(struct start *start, struct armed_objects *objects);
/* Writes the line `armed`. */
void report_armed(const struct armed_objects *objects, uint64_t began);

#define HAS_RING                                                                                             \
    "this process uses io_uring already, which no library can guard, or cannot tell; let the wrapper start " \
    "it"

#define HAS_FFI                                                                                              \
    "--experimental-ffi lets JavaScript call any address: take it out of NODE_OPTIONS and the arguments, "   \
    "or list node-ffi in allow_executable_memory"

/* Forbids core dumps where /tmp is blocked or cleared: the kernel writes them there without a call of the program (core(5)). */
void forbid_core_dumps(const struct policy *p);

#endif
