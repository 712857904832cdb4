/* Put in front of every engine source of a target (-include): its system calls go to the target instead of to the
 * kernel. engine/kernel.h makes each of them through `kernel_call`. */
#ifndef FUZZ_KERNEL_FAKE_H
#define FUZZ_KERNEL_FAKE_H

#include "../../../runtime_layer/native/engine/base/raw_syscall.h"

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
/* The real one, for probes of memory. */
static inline int64_t kernel_real(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                                  uint64_t f)
{
    return kernel_call(nr, a, b, c, d, e, f);
}
#define kernel_call kernel_fake

#endif
