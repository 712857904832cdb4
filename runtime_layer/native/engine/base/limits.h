/* The process's resource limits (getrlimit(2)). */
#ifndef SHIELD_LIMITS_H
#define SHIELD_LIMITS_H

#include <stdint.h>

/* The program's soft limit of descriptors; 0: unknown. */
uint64_t soft_limit_of_descriptors(void);

#endif
