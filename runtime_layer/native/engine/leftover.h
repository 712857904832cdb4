/* A mark that is left over: the number stands for something else than a stream by now. */
#ifndef SHIELD_LEFTOVER_H
#define SHIELD_LEFTOVER_H

#include "call.h"
#include "watched.h"

/* Takes the mark of the descriptor in arg[index] away, judges the call as if it had none, and makes it by a descriptor of
 * the gate's own, as another thread could be laying a stream over the number at this moment. False: it is a stream, or
 * has no mark; then nothing was done. */
bool judge_leftover(struct call *call, uint32_t index, enum outcome (*judge)(struct call *call),
                    enum outcome *outcome);

#endif
