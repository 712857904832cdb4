/* Opens beneath a directory: a reference that the gate keeps, or one of the program's. The kernel sees to it that the path stays
 * on the directory's mount, below it, and follows no link (openat2(2)): what is opened is what the path says, whatever other
 * threads do meanwhile.
 */
#ifndef SHIELD_OPEN_BENEATH_H
#define SHIELD_OPEN_BENEATH_H

#include <stdint.h>

enum { TO_BE_JUDGED = -4096 /* no errno */ };
/* `mode` counts for a file that is made. TO_BE_JUDGED: the path leads elsewhere, or by a link, or the kernel cannot tell. */
int64_t open_beneath(int32_t directory, const char *path, uint64_t flags, uint64_t mode);

#endif
