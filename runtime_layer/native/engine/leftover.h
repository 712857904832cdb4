/* A mark that is left over: the number stands for something else than a stream by now. */
#ifndef SHIELD_LEFTOVER_H
#define SHIELD_LEFTOVER_H

#include "call.h"
#include "watched.h"

/* What the descriptor in arg[index] is: asked once, as it may be something else the next moment. */
enum marked_as {
    NOT_MARKED,
    STREAM_MARKED, /* its bytes are to be looked at, whatever it turns into now */
    LEFT_OVER      /* the call was made: the mark is gone, `outcome` is filled */
};

/* Judges a call on a descriptor that was found to be such a stream, or not to be one. */
typedef enum outcome judge_found(struct call *call, bool is_stream);

/* A mark that is left over is taken away, and the call is judged as if there were none, and made by a descriptor of the
 * gate's own, or by a file's number, held: another thread could be laying a stream over the number at this moment. */
enum marked_as judge_leftover(struct call *call, uint32_t index, judge_found *judge, enum outcome *outcome);

#endif
