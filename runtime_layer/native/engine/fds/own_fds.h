/* The gate's own descriptors. A file is judged and used through one descriptor, so no thread may close or replace it meanwhile.
 * Each has a number in a range that programs do not use, and a mark (fd_marks.h): close(2) answers EBADF, close_range(2) skips
 * it, and dup2(2) in the range reaches only numbers that the program itself has open (the JDK replaces a socket that another
 * thread waits on).
 *
 * Where a limit leaves no number in the range, the descriptor keeps a low one. The mark protects it too, but not against a dup2
 * that was judged just before the mark was set.
 */
#ifndef SHIELD_OWN_FDS_H
#define SHIELD_OWN_FDS_H

#include <stdbool.h>
#include <stdint.h>

/* The upper quarter of the 1,024 descriptors that a function has in Lambda. */
enum { OWN_FDS_FIRST = 768, OWN_FDS_END = 1024 };

/* Moves a descriptor that the gate just opened into the range, so that the program's opens get the lowest free number
 * (open(2)). Not for a file on which the program may hold record locks, unless it is a reference (O_PATH): closing any other
 * descriptor of the file releases them (fcntl(2)). Returns the new number; errors are passed through. */
int64_t own_fd_take(int64_t descriptor);
/* A copy of a program's descriptor in the range, or an errno. Closing it releases record locks, as above. */
int64_t own_fd_copy(int64_t descriptor);
/* Duplicates a descriptor of the gate to the number `wanted` permanently, and marks it. False: the number is in use. */
bool own_fd_keep(int64_t descriptor, int32_t wanted);
/* Closes a descriptor of the gate; does nothing for an errno. */
void own_fd_close(int64_t descriptor);
/* A reference (O_PATH) to the file of a program's descriptor, or an errno. */
int64_t own_fd_refer(int32_t descriptor);

/* Marks a descriptor that the program may never close: the log. */
void own_fd_mark(int32_t descriptor);
bool is_own_fd(uint32_t descriptor);
/* Whether the program may replace this number by another descriptor. A vfork child may, as its numbers are its own. */
bool may_be_replaced(uint32_t descriptor);
/* The lowest of the gate's own descriptors from `from` on; UINT32_MAX: there is none. */
uint32_t own_fd_next(uint32_t from);

#endif
