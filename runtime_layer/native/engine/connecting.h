/* Which sockets are being connected at this moment.
 *
 * A connection's first bytes are judged by its peer, and a socket that lost its peer can get another. Once it is written
 * down that it gets no other one (watched.h, stream_seen), the gate refuses to connect it; but a call may have been judged
 * before, and reach the kernel later. So each says first that it is under way, and then looks; and whoever wrote it down
 * looks for such calls then. One of the two always sees the other. Only a forked copy's calls are not seen.
 */
#ifndef SHIELD_CONNECTING_H
#define SHIELD_CONNECTING_H

#include <stdbool.h>
#include <stdint.h>

/* A claim for connecting_end. Where there are too many, as of a program that leaves such calls by longjmp, an older one is
 * lost, and from then on no connection is the last one. */
int32_t connecting_begin(int32_t descriptor);
void connecting_end(int32_t claim);
/* Is it being connected, and still after some milliseconds? */
bool stays_being_connected(int32_t descriptor);
/* Is it written down, and nobody under way any more? */
bool has_last_connection(int32_t descriptor);

#endif
