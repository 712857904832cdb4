/* Thread-local variables of others, by the thread pointer: of this thread, which has to be one of the program's. */
#ifndef SHIELD_THREAD_LOCAL_H
#define SHIELD_THREAD_LOCAL_H

#include "memory_reader.h"

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

/* A function at `code` that does nothing but return such a variable is read, not called: how far from the thread pointer is what
 * it returns? False: it is another function, or a compiler wrote it in a way that is not known here. */
bool thread_local_offset(struct memory_reader *r, uint64_t code, int64_t *offset);

#endif
