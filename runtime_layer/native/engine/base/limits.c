/* Tests: tests/integration/launcher/test_refusals.py. */
#include "limits.h"

#include <linux/resource.h>

#include "raw_syscall.h"

uint64_t soft_limit_of_descriptors(void)
{
    uint64_t limits[2] = {0, 0};
    return is_error(KERNEL(prlimit64, 0, RLIMIT_NOFILE, 0, limits)) ? 0 : limits[0];
}
