/* Reads and writes the caller's memory without faulting, and copies messages, and lends scratch space without an allocator.
 *
 * A pointer argument may be NULL, unmapped, or end at a page's edge: the kernel answers EFAULT, and so must the gate. Lambda
 * refuses process_vm_readv, so the gate probes each page by a system call that reads eight bytes of it.
 */
#ifndef SHIELD_USER_MEMORY_H
#define SHIELD_USER_MEMORY_H

#include "linux_abi.h"
#include "raw_syscall.h"

/* Trusts pages found readable or writable, and the page of `stack`, until the next call of trust_pages: they are not probed
 * again. Used while a call is judged in a process with one thread. A call of a signal handler in between ends it, as NULL does.
 */
void trust_pages(const void *stack);
/* Copies n bytes; false when any of them cannot be read. */
bool read_user(void *to, uint64_t from, uint64_t n);
/* Copies a terminated string of at most cap - 1 bytes, unless `to` is NULL. Returns its length, -EFAULT, or -ENAMETOOLONG. */
int64_t read_user_string(char *to, uint64_t from, uint64_t cap);
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

/* struct user_msghdr and mmsghdr (include/linux/socket.h) on 64-bit. */
struct message {
    uint64_t name;
    uint32_t name_len, pad;
    uint64_t vectors, vector_count;
    uint64_t control, control_len;
    uint32_t flags, pad2;
};
struct sized_message {
    struct message message;
    uint32_t len, pad;
};
struct vector {
    uint64_t base, len;
};

/* Copies the bytes of the caller's vectors. Returns their length, -EFAULT, or -EMSGSIZE when there are more than cap. */
int64_t gather(const struct message *m, uint8_t *out, uint64_t cap);
/* The same, up to cap bytes. */
int64_t gather_some(const struct message *m, uint8_t *out, uint64_t cap);
/* Copies bytes into the vectors. False when they cannot be written. */
bool scatter(const struct message *m, const uint8_t *bytes, uint64_t len);
/* The room in the vectors, up to `most` bytes. */
uint64_t room_in(const struct message *m, uint64_t most);

#endif
