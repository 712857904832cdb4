/* A system call at the gate, and the answers of a judge. */
#ifndef SHIELD_SYSCALL_CTX_H
#define SHIELD_SYSCALL_CTX_H

#include <stddef.h>
#include <stdint.h>

#include "gate_layout.h"

struct call {
    int64_t nr; /* in: the number; out, when answered: the result */
    uint64_t arg[6];
    uint64_t site;  /* address of the system-call instruction */
    uint64_t stack; /* the caller's stack pointer, to find the caller */
};
_Static_assert(offsetof(struct call, nr) == CALL_NR && offsetof(struct call, arg) == CALL_ARG &&
                   offsetof(struct call, site) == CALL_SITE && offsetof(struct call, stack) == CALL_STACK &&
                   sizeof(struct call) == CALL_SIZE,
               "as gate.S fills it");

enum outcome {
    RUN_IN_PLACE = 0, /* the caller's own instruction makes the call, with its own registers */
    ANSWERED = 1      /* call->nr holds the result */
};

static inline enum outcome answer(struct call *call, int64_t result)
{
    call->nr = result;
    return ANSWERED;
}

#endif
