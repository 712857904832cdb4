/* What this process has open. */
#ifndef SHIELD_DESCRIPTORS_H
#define SHIELD_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

/* Calls `each` for every open descriptor until it returns true; returns whether one did. */
bool each_descriptor(bool (*each)(int32_t descriptor));
/* Is there a ring of io_uring, open or mapped? What goes through one passes no gate (io_uring(7)), and who has one does
 * not take no for an answer: libuv aborts. */
bool has_ring(void);

#endif
