/* Copies descriptors with their marks. */
#ifndef SHIELD_FD_DUP_H
#define SHIELD_FD_DUP_H

#include <stdint.h>

#include "../base/syscall_ctx.h"

/* socket(2) for a TCP socket, which is marked before the program gets its number. */
int64_t make_tcp_socket(const uint64_t *arg);
/* dup2(2) and dup3(2). */
int64_t replace_descriptor(const struct call *call);
enum outcome judge_copy(struct call *call);

#endif
