/* What takes long of a close, or of what replaces a descriptor: done beside the number, as nobody else waits for it. */
#ifndef SHIELD_CLOSING_H
#define SHIELD_CLOSING_H

#include <stdbool.h>
#include <stdint.h>

struct closing {
    int64_t written; /* 0, or the errno with which what was kept back could not be written */
    int64_t own;     /* another number for the same, held; or an errno */
};

/* Before a change of the number is claimed (change_begin): others may use it as it is. `closes`: it will be; else the
 * locks on a file have to stay, which end with any of its numbers (fcntl(2)). */
struct closing closing_begin(int32_t descriptor, bool closes);
/* Once the claim is given back. */
void closing_end(const struct closing *closing);

#endif
