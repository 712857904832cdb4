/* What the proofs share. `any` values are all values at once; CBMC looks for one that breaks an assertion. */
#ifndef PROOFS_H
#define PROOFS_H

#include "../../../runtime_layer/native/core/text.h"

#define ASSUME(fact) __CPROVER_assume(fact)
#define PROVE(fact, says) __CPROVER_assert(fact, says)

uint32_t nondet_number(void);
bool nondet_bool(void);

/* Text of any bytes and any length up to that of `room`, at the room's end: a byte behind it is out of bounds. */
#define ANY_TEXT(room) text_at_end(room, sizeof room)
static inline struct text text_at_end(char *room, uint32_t size)
{
    uint32_t len = nondet_number();
    ASSUME(len <= size);
    return (struct text){room + size - len, len};
}

#endif
