/* The judges: each takes a guarded call, asks the core for a verdict on its facts, and answers. Each is in the folder of its
 * policy; only the gate calls them. */
#ifndef SHIELD_JUDGES_H
#define SHIELD_JUDGES_H

#include "../base/syscall_ctx.h"
#include "../state/syscall_policy.h"

#define DECLARE_JUDGE(judge) enum outcome judge(struct call *call);
JUDGES(DECLARE_JUDGE)

/* gate.S: patched sites call it. */
extern void gate_entry(void) __attribute__((visibility("hidden")));

#endif
