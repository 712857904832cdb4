/* Copies the bytes of a message's vectors to and from the caller's memory. Tests: tests/lab/fuzz/network.c. */
#include "iovec.h"

#include "linux_abi.h"
#include "raw_syscall.h"
#include "user_memory.h"

int64_t gather_some(const struct message *m, uint8_t *out, uint64_t cap)
{
    uint64_t len = 0;
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && len < cap; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        uint64_t part = v.len < cap - len ? v.len : cap - len;
        if (!read_user(out + len, v.base, part))
            return -EFAULT;
        len += part;
    }
    return (int64_t)len;
}

/* Reads the vectors twice. Another thread may change them in between; still at most `cap` bytes are copied. */
int64_t gather(const struct message *m, uint8_t *out, uint64_t cap)
{
    if (m->vector_count > UIO_MAXIOV || room_in(m, cap + 1) > cap)
        return -EMSGSIZE;
    return gather_some(m, out, cap);
}

uint64_t room_in(const struct message *m, uint64_t most)
{
    uint64_t room = 0;
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && room < most; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            break;
        room += v.len < most ? v.len : most;
    }
    return room < most ? room : most;
}

bool scatter(const struct message *m, const uint8_t *bytes, uint64_t len)
{
    for (uint64_t i = 0; i < m->vector_count && i < UIO_MAXIOV && len; i++) {
        struct vector v;
        if (!read_user(&v, m->vectors + i * sizeof v, sizeof v))
            return false;
        uint64_t part = v.len < len ? v.len : len;
        if (!write_user(v.base, bytes, part))
            return false;
        bytes += part;
        len -= part;
    }
    return true;
}
