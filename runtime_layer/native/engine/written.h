/* Which descriptors are being written to at this moment, where there are threads.
 *
 * A write to what has no mark (watched.h) is not looked at. So a number must not turn into a stream that is looked at
 * while such a write is on its way: between the gate's look at the mark and the kernel's at the number, and as long as
 * the call lasts, because the kernel begins it anew after a signal (signal(7), SA_RESTART), with what the number stands
 * for then. Who writes is counted before it looks at the mark, and who gives a number its mark looks at the count
 * afterwards: one of the two always sees the other. gate.S counts as well.
 */
#ifndef SHIELD_WRITTEN_H
#define SHIELD_WRITTEN_H

#include <stdbool.h>

#include "leftover.h"

/* A line of the processor's cache each, that threads do not wait for each other. Numbers share one where there are more
 * than Lambda lets there be. gate.S knows both. */
enum { WRITTEN_LINES = 1024, WRITTEN_LINE = 64 };
struct written {
    uint32_t writers;
    uint8_t rest[WRITTEN_LINE - sizeof(uint32_t)];
};
extern struct written written[WRITTEN_LINES] __attribute__((visibility("hidden"), aligned(WRITTEN_LINE)));

/* Judges a call that writes to the descriptor in arg[index], and makes it where it is not looked at. Who found a mark is
 * not counted: it looks again before it writes, and may have to wait for whoever made the mark. */
enum outcome judge_writer(struct call *call, uint32_t index, judge_found *judge);
/* After the number got its mark. A writer that was cancelled, or left by longjmp, counts for ever. */
bool is_being_written(int32_t number);
/* The same, when it still is after some milliseconds: fewer than those wait who found the mark. */
bool stays_being_written(int32_t number);

#endif
