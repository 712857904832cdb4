/* The gate's own descriptors. A file is judged and used through the same one, so no thread may close or replace it meanwhile.
 * Each has a number in a range that programs do not use, and a mark (fd_marks.h): close(2) answers EBADF, close_range(2) passes
 * over it, and dup2(2) reaches only numbers of the range that the program itself has open (the JDK lays a marker over the
 * socket that another thread waits on).
 *
 * Where a limit leaves no number in the range, the descriptor keeps a low one. The mark protects it all the same, but not
 * against a dup2 that was judged just before it was marked.
 */
#ifndef SHIELD_OWN_FDS_H
#define SHIELD_OWN_FDS_H

#include <stdbool.h>
#include <stdint.h>

/* The upper quarter of the 1,024 descriptors that a function has in Lambda. */
enum { OWN_FDS_FIRST = 768, OWN_FDS_END = 1024 };

/* Takes over a descriptor that the gate just made, so that the program's own opens get the lowest number that is free
 * (open(2)). Not for a file that the program may hold record locks on, unless it is a mere reference (O_PATH): closing
 * any other descriptor of it ends them (fcntl(2)). Returns the new number; errors are passed through. */
int64_t own_fd_take(int64_t descriptor);
/* Duplicates a descriptor of the gate to the number `wanted`, for good, and marks it. False: the number is
 * taken. */
bool own_fd_keep(int64_t descriptor, int32_t wanted);
/* Does nothing for an error. */
void own_fd_close(int64_t descriptor);
/* A reference (O_PATH) to the file of the program's descriptor. Or an errno. */
int64_t own_fd_refer(int32_t descriptor);

/* Marks a descriptor that the program may never close: the log. */
void own_fd_mark(int32_t descriptor);
bool is_own_fd(uint32_t descriptor);
/* May the program replace this number by another descriptor? A vfork child may: its numbers are its own. */
bool may_be_replaced(uint32_t descriptor);
/* The lowest of the gate's own descriptors from `from` on; UINT32_MAX: there is none. */
uint32_t own_fd_next(uint32_t from);

#endif
