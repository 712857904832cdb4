/* Copies messages from and to the caller's memory: headers, and vectors of bytes. */
#ifndef SHIELD_IOVEC_H
#define SHIELD_IOVEC_H

#include <stdbool.h>
#include <stdint.h>

#include "linux_abi.h"

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
