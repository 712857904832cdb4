/* Opens beneath a directory, which the gate keeps or the program has open. The kernel ensures that the path stays on the
 * directory's mount, below it, and follows no link (openat2(2)): so the text of the path names the file, and no other thread
 * can change that. */
#ifndef SHIELD_OPEN_BENEATH_H
#define SHIELD_OPEN_BENEATH_H

#include <stdint.h>

enum { TO_BE_JUDGED = -4096 /* no errno */ };
/* `mode`: for a new file. TO_BE_JUDGED: the path leads elsewhere, or through a link, or the kernel did not resolve it. */
int64_t open_beneath(int32_t directory, const char *path, uint64_t flags, uint64_t mode);

#endif
