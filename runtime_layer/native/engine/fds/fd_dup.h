/* Copies of descriptors, the program's and the gate's own: what is looked at under one number is looked at under each. */
#ifndef SHIELD_FD_DUP_H
#define SHIELD_FD_DUP_H

#include <stdint.h>

#include "../base/syscall_ctx.h"

/* Another descriptor for the same, with the same mark, held. For close_held. Or an errno. */
int64_t watch_duplicate(int32_t descriptor);
/* What is judged by this is what is used by it, whatever another thread makes of the program's number meanwhile: a
 * duplicate; the number itself, where there is no other thread; held, where there is no number left for another. For
 * watch_own_end. Or an errno. */
int64_t watch_own(int32_t descriptor);
void watch_own_end(int32_t descriptor, int64_t own);
/* That queries were sent by it holds for the program's number. */
void watch_carry(int32_t descriptor, int64_t own);
/* socket(2), for a TCP socket, which gets its mark with its number. */
int64_t make_stream(const uint64_t *arg);
/* dup2(2) and dup3(2), where nobody holds what is replaced. */
int64_t lay_over(const struct call *call);

#endif
