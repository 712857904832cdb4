/* The process's resource limits (getrlimit(2)). */
#ifndef SHIELD_LIMITS_H
#define SHIELD_LIMITS_H

#include <stdint.h>

/* How many descriptors the program allows itself; 0: it cannot be asked. */
uint64_t soft_limit_of_descriptors(void);

#endif
