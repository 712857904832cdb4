/* Which line of its file a frame of JavaScript is in. */
#ifndef SHIELD_NODE_LINES_H
#define SHIELD_NODE_LINES_H

#include "node_frames.h"

/* 0: unknown, as in what V8 has optimised. */
uint32_t node_line(const struct node_frames *f, const struct node_frame *frame);

#endif
