/* Reading the caller's memory without ever faulting, and scratch space without an allocator.
 *
 * A pointer argument may be NULL, unmapped, or end at a page's edge: the kernel answers EFAULT, and so must the
 * gate. process_vm_readv is refused in Lambda, so each page is probed by a system call that reads eight bytes
 * of it and changes nothing.
 */
#ifndef SHIELD_USER_MEMORY_H
#define SHIELD_USER_MEMORY_H

#include "raw_syscall.h"

/* Until the next call of this, no memory is unmapped: pages found readable or writable are not probed again, nor is that of
 * `stack`. Used while a call is judged and there is one thread; a signal handler's call in between ends it, and so does NULL.
 */
void trust_pages(const void *stack);
/* Copies n bytes; false when any of them cannot be read. */
bool read_user(void *to, uint64_t from, uint64_t n);
/* Copies a terminated string of at most cap - 1 bytes. Returns its length, -EFAULT, or -ENAMETOOLONG. */
int64_t read_user_string(char *to, uint64_t from, uint64_t cap);
/* The same without the copy. */
int64_t user_string_length(uint64_t from, uint64_t cap);
/* Is the page that holds this address readable? */
bool readable(uint64_t address);
/* Copies out; false when a page of it cannot be written. */
bool write_user(uint64_t to, const void *from, uint64_t n);

/* Four pages of working space. Taken without waiting: the gate runs in signal handlers, where the owner of
 * a lock may be the interrupted thread itself. */
struct scratch {
    char path[PAGE];
    char other[PAGE];
    char link[PAGE];
    char line[PAGE];
};

struct scratch *scratch_take(void); /* NULL when there is no memory left */
void scratch_give(struct scratch *s);

#endif
