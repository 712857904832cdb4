/* See forget.c. */
#ifndef FUZZ_FORGET_H
#define FUZZ_FORGET_H

#include "fuzz.h"

/* What marks of the first `descriptors` said, the bytes of streams, and what lies in the gate's working space. */
void forget(int32_t descriptors);
bool is_scratch(uint64_t address);

#endif
