/* Reads and writes the caller's memory without faulting, and lends scratch space without an allocator.
 *
 * A pointer argument may be NULL, unmapped, or end at a page's edge: the kernel answers EFAULT, and so must the gate. Lambda
 * refuses process_vm_readv, so the gate probes each page by a system call that reads eight bytes of it.
 */
#ifndef SHIELD_USER_MEMORY_H
#define SHIELD_USER_MEMORY_H

#include "raw_syscall.h"

/* Trusts pages found readable or writable, and the page of `stack`, until the next call of trust_pages: they are not probed
 * again. Used while a call is judged in a process with one thread. A call of a signal handler in between ends it, as NULL does.
 */
void trust_pages(const void *stack);
/* Copies n bytes; false when any of them cannot be read. */
bool read_user(void *to, uint64_t from, uint64_t n);
/* Copies a terminated string of at most cap - 1 bytes. Returns its length, -EFAULT, or -ENAMETOOLONG. */
int64_t read_user_string(char *to, uint64_t from, uint64_t cap);
/* The same without the copy. */
int64_t user_string_length(uint64_t from, uint64_t cap);
/* Whether the page of this address is readable. */
bool readable(uint64_t address);
/* Copies n bytes to the caller's memory; false when a page of it cannot be written. */
bool write_user(uint64_t to, const void *from, uint64_t n);

/* Four pages of working space, taken without waiting: in a signal handler the owner of a lock may be the interrupted thread. */
struct scratch {
    char path[PAGE];
    char other[PAGE];
    char link[PAGE];
    char line[PAGE];
};

struct scratch *scratch_take(void); /* NULL when there is no memory left */
void scratch_give(struct scratch *s);

#endif
