/* Identifies the calling thread by its thread pointer. */
#ifndef SHIELD_THREAD_LOCAL_H
#define SHIELD_THREAD_LOCAL_H

#include "raw_syscall.h"

static inline uint64_t thread_pointer(void)
{
    uint64_t self = 0;
#if defined(__x86_64__)
    enum { ARCH_GET_FS = 0x1003 };
    KERNEL(arch_prctl, ARCH_GET_FS, &self);
#else
    __asm__("mrs %0, tpidr_el0" : "=r"(self));
#endif
    return self;
}

#endif
