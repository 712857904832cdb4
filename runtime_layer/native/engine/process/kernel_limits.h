/* Resource limits behind the gate (getrlimit(2)): a hard limit of 0 needs no privilege, no process without one raises it again,
 * and it holds for any instruction.
 *
 *   RLIMIT_FSIZE   no write or truncation makes a file or memory file longer, and no write to one succeeds: EFBIG
 *   RLIMIT_STACK   a started program has no stack, and dies before its first useful instruction. The main stack gets its
 *                  former size first
 */
#ifndef SHIELD_KERNEL_LIMITS_H
#define SHIELD_KERNEL_LIMITS_H

#include "../report/alerts.h"

/* Reads the facts that decide which limits will hold, for the line `armed` or `tightened`. Returns `limits`. */
const struct kernel_limits *plan_kernel_limits(struct kernel_limits *limits);
/* Must be called when the runtime asks for its first event, or for the first one under a stricter policy. A line tells if
 * other limits hold than planned. */
void hold_kernel_limits(void);

/* As the kernel has it. */
struct resource_limit {
    uint64_t soft, hard;
};
/* The limit of this resource before the engine lowered it; NULL: it did not. */
const struct resource_limit *former_limit(uint32_t resource);

#endif
