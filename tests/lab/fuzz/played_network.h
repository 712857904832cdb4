/* The kernel's side of the network, as network.c's judges meet it: sockets, connections, one message that waits, and what
 * the other end receives (watched_network.h). None whose beginning is to be seen is under a number that somebody writes to
 * unseen. */
#ifndef FUZZ_PLAYED_NETWORK_H
#define FUZZ_PLAYED_NETWORK_H

#include <asm/ioctls.h>

#include "watched_network.h"

/* Nothing but these: other addresses are random bytes. */
static bool is_gates_buffer(uint64_t pointer)
{
    return is_on_stack(pointer) || is_scratch(pointer);
}

/* As the kernel copies it, from the gate's memory or from the caller's. */
static bool copy_in(void *to, uint64_t from, uint64_t n)
{
    if (!arena_allows(from, n, false) && !is_gates_buffer(from))
        return false;
    memcpy(to, (void *)from, n);
    return true;
}

static int64_t gather_for_kernel(uint64_t vectors, uint64_t count, uint8_t *out, uint32_t cap)
{
    uint32_t used = 0;
    if (count > MOST_VECTORS)
        return -EMSGSIZE;
    for (uint64_t i = 0; i < count && used < cap; i++) {
        struct vector v;
        if (!copy_in(&v, vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        uint64_t n = v.len < cap - used ? v.len : cap - used;
        if (n && !copy_in(out + used, v.base, n))
            return used ? (int64_t)used : -EFAULT;
        used += (uint32_t)n;
    }
    return used;
}

static int64_t finish_connecting(struct file *f, uint64_t flags)
{
    enum { NO_WAIT = 0x40 };
    if (!f->connecting)
        return 0;
    bool waits = !(flags & NO_WAIT) && !f->non_blocking;
    f->connecting = waits ? false : mood.again;
    mood.again = false;
    return f->connecting ? -EAGAIN : 0;
}

static int64_t write_to_stream(struct file *f, uint64_t vectors, uint64_t count, uint64_t flags)
{
    static uint8_t bytes[4 * PAGE];
    int64_t error = finish_connecting(f, flags);
    if (error || !f->connected || f->shut)
        return error ? error : -EPIPE;
    int64_t n = gather_for_kernel(vectors, count, bytes, sizeof bytes);
    if (n <= 0)
        return n;
    if (mood.again) {
        mood.again = false;
        return -EAGAIN;
    }
    n = mood.takes && mood.takes < n ? mood.takes : n;
    mood.takes = 0;
    /* The last byte of what is urgent is not among those that are read in order (tcp(7)). */
    uint32_t kept = (uint32_t)n - (flags & OOB ? 1 : 0);
    kept = kept < sizeof f->out - f->out_len ? kept : (uint32_t)sizeof f->out - f->out_len;
    memcpy(f->out + f->out_len, bytes, kept);
    f->out_len += kept;
    if (blocks && f->to.port == DNS_PORT)
        only_queries_left(f);
    else if (blocks && f->by_name &&
             !rival) /* else another thread may write what it likes in the midst of a call */
        no_other_name_left(f);
    return n;
}

static int64_t connect_to(struct file *f, uint64_t pointer, uint32_t len)
{
    struct sockaddr_bytes s = {.len = len};
    struct endpoint to;
    memcpy(s.bytes, (void *)pointer, len);
    enum sockaddr_kind kind = endpoint_from_sockaddr(s.bytes, s.len, &to);
    if (kind == SOCKADDR_UNSPEC) {
        f->connected = f->connecting = f->shut = false;
        f->out_len = f->out_judged = 0;
        return 0;
    }
    if (kind != SOCKADDR_INET || f->domain == UNIX)
        return -EINVAL;
    if (f->type == STREAM && f->connected) {
        /* Of a connection that was made meanwhile, the next connect tells how it ended, whatever it asks for. */
        int64_t result = f->connecting ? -EALREADY : f->untold ? 0 : -EISCONN;
        f->untold &= f->connecting;
        return result;
    }
    f->connected = true;
    f->by_name = !is_listed_address(&to, false);
    f->peer = s;
    f->to = to;
    f->connecting = f->untold = f->type == STREAM && mood.slow;
    mood.slow = false;
    return f->connecting ? -EINPROGRESS : 0;
}

static int64_t peer_name(const struct file *f, uint8_t *out, uint32_t *len)
{
    if (!f->connected || f->connecting)
        return -ENOTCONN;
    CHECK(is_gates((uint64_t)out) && is_gates((uint64_t)len));
    memcpy(out, f->peer.bytes, f->peer.len < *len ? f->peer.len : *len);
    *len = f->peer.len;
    return 0;
}

static int64_t receive(struct message *m, uint64_t flags)
{
    if (!queue.len)
        return -EAGAIN;
    if (!is_on_stack(m->name) ||
        !is_on_stack(m->vectors)) { /* into the caller's memory: the kernel's business */
        queue.len = 0;
        return 1;
    }
    const struct vector *v = (const struct vector *)m->vectors;
    CHECK(is_on_stack((uint64_t)m) && m->vector_count == 1 && is_gates(v->base));
    uint64_t part = queue.len < v->len ? queue.len : v->len;
    memcpy((void *)v->base, queue.bytes, part);
    memcpy((void *)m->name, queue.from.bytes, queue.from.len < m->name_len ? queue.from.len : m->name_len);
    m->name_len = queue.from.len;
    m->flags = part < queue.len ? CUT : 0;
    uint32_t len = queue.len;
    struct endpoint from;
    if (part > 1 && !queue.told &&
        endpoint_from_sockaddr(queue.from.bytes, queue.from.len, &from) == SOCKADDR_INET &&
        is_resolver(&from)) {
        tell(queue.bytes, (uint32_t)part);
        queue.told = true; /* a program may look at a message many times */
    }
    if (!(flags & PEEK))
        queue.len = 0;
    return flags & CUT ? len : (int64_t)part;
}

/* The other end's bytes, whoever reads them: each answer among them counts once it is whole. */
static void leave_queue(struct file *f, uint32_t n)
{
    uint32_t kept = n < sizeof f->answers - f->answers_len ? n : (uint32_t)sizeof f->answers - f->answers_len;
    memcpy(f->answers + f->answers_len, queue.bytes, kept);
    f->answers_len += kept;
    f->taken += n;
    queue.len -= n;
    memmove(queue.bytes, queue.bytes + n, queue.len);
    while (f->answers_len - f->answers_read > 2) {
        const uint8_t *at = f->answers + f->answers_read;
        uint32_t len = (uint32_t)(at[0] << 8 | at[1]);
        if (len > f->answers_len - f->answers_read - 2)
            return;
        if (is_resolver(&f->to))
            tell(at + 2, len);
        f->answers_read += 2 + len;
    }
}

static int64_t read_from_stream(struct file *f, const struct message *m, uint64_t flags)
{
    struct vector v;
    if (!f->connected || f->connecting)
        return -ENOTCONN;
    if (flags & OOB)
        return -EINVAL;
    if (!queue.len || !m->vector_count)
        return queue.len ? 0 : -EAGAIN;
    if (!copy_in(&v, m->vectors, sizeof v))
        return -EFAULT;
    uint32_t n = queue.len < v.len ? queue.len : (uint32_t)v.len;
    if (mood.takes && mood.takes < n)
        n = mood.takes;
    if (n && !(flags & CUT) && is_gates_buffer(v.base)) /* cut: thrown away (tcp(7)) */
        memcpy((void *)v.base, queue.bytes, n);
    if (!(flags & PEEK))
        leave_queue(f, n);
    return n;
}

static int64_t lowest_descriptor(uint64_t least)
{
    for (uint64_t n = least < FIRST ? FIRST : least; n < TABLE; n++)
        if (!open_files[n])
            return (int64_t)n;
    return -EMFILE;
}

static void let_go_of(uint64_t descriptor)
{
    struct file *f = file_of(descriptor);
    if (f && !--f->users)
        f->type = 0;
    if (f)
        open_files[(uint32_t)descriptor] = NULL;
}

static int64_t copy_to(struct file *f, int64_t descriptor)
{
    if (descriptor < 0)
        return descriptor;
    if (descriptor < FIRST || descriptor >= TABLE)
        return -EBADF;
    f->users++;
    let_go_of((uint64_t)descriptor);
    open_files[descriptor] = f;
    return descriptor;
}

static int64_t open_socket(int32_t domain, int32_t type)
{
    int64_t descriptor = lowest_descriptor(0);
    if (descriptor >= FIRST + DESCRIPTORS)
        return -EMFILE;
    struct file *f = files;
    while (f->users)
        f++;
    memset(f, 0, offsetof(struct file, out));
    f->out_len = f->out_judged = f->answers_len = f->answers_read = 0;
    f->cookie = ++cookies;
    f->domain = domain;
    f->type = type;
    return copy_to(f, descriptor);
}

static int64_t descriptor_call(int64_t nr, struct file *f, uint64_t a, uint64_t b, uint64_t c)
{
    switch (nr) {
    case __NR_close: let_go_of(a); return f ? 0 : -EBADF;
    case __NR_dup: return f ? copy_to(f, lowest_descriptor(0)) : -EBADF;
    case __NR_dup3:
        if ((uint32_t)a == (uint32_t)b || (c & ~(uint64_t)O_CLOEXEC))
            return -EINVAL;
        return f ? copy_to(f, (int32_t)b) : -EBADF;
    }
    CHECK(nr == __NR_fcntl);
    if (b == F_GETFD && a < FIRST)
        return 0;
    if (!f)
        return -EBADF;
    if (b == F_DUPFD || b == F_DUPFD_CLOEXEC)
        return copy_to(f, lowest_descriptor((uint32_t)c));
    return b == F_GETFL && f->non_blocking ? O_NONBLOCK : 0;
}

static int64_t option_of(const struct file *f, uint64_t option, void *out)
{
    bool is_internet = f->domain == INET || f->domain == INET6;
    switch (option) {
    case OPTION_TYPE: *(int32_t *)out = f->type; return 0;
    case OPTION_DOMAIN: *(int32_t *)out = f->domain; return 0;
    case OPTION_PROTOCOL:
        *(int32_t *)out = !is_internet ? 0 : f->type == STREAM ? TCP : f->type == DGRAM ? UDP : 0;
        return 0;
    case OPTION_LOCK: *(int32_t *)out = f->locked; return 0;
    case OPTION_LINGER: memcpy(out, (int32_t[2]){f->cookie % 2, 1}, 2 * sizeof(int32_t)); return 0;
    case OPTION_RECEIVE_TIMEOUT:
        memcpy(out, (int64_t[2]){f->cookie % 3 ? 0 : 2, 0}, 2 * sizeof(int64_t));
        return 0;
    case OPTION_COOKIE: memcpy(out, &f->cookie, sizeof f->cookie); return 0;
    }
    *(int32_t *)out = 0; /* not set, no limit */
    return 0;
}

static void in_place(const struct call *call);

static int64_t socket_call(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct file *file = file_of(a);
    bool stream = file && file->type == STREAM;
    switch (nr) {
    case __NR_getsockopt:
        if (!file)
            return -EBADF;
        CHECK(is_gates(d) && is_gates(e));
        if (b == TCP && c == TCP_INFO) { /* nothing was sent */
            struct tcp_info info = {.tcpi_state = file->connected ? 1 /* TCP_ESTABLISHED */ : TCP_CLOSE,
                                    .tcpi_bytes_received = file->taken + queue.len};
            memcpy((void *)d, &info, *(uint32_t *)e < sizeof info ? *(uint32_t *)e : sizeof info);
            return 0;
        }
        if ((b == LEVEL_IP && c == OPTION_MTU) || (b == LEVEL_IPV6 && c == OPTION_MTU6))
            return file->connected ? 0 : -ENOTCONN;
        CHECK(b == LEVEL_SOCKET);
        return option_of(file, c, (void *)d);
    case __NR_ioctl:
        CHECK(b == FIONREAD && is_gates(c));
        *(int32_t *)c = (int32_t)queue.len;
        return file ? 0 : -EBADF;
    case __NR_setsockopt:
        CHECK(b == LEVEL_SOCKET && c == OPTION_LOCK && is_gates(d) && *(int32_t *)d);
        if (file)
            file->locked = true;
        return file ? 0 : -EBADF;
    case __NR_listen: return file ? 0 : -EBADF;
    case __NR_getpeername: return file ? peer_name(file, (uint8_t *)b, (uint32_t *)c) : -EBADF;
    case __NR_connect:
        look_at(a, b, (uint32_t)c, NULL, 0, true);
        return file ? connect_to(file, b, (uint32_t)c) : -EBADF;
    case __NR_sendto: {
        struct vector v = {b, c};
        if (e)
            look_at(a, e, (uint32_t)f, (const uint8_t *)b, c, false);
        return !file ? -EBADF : stream ? write_to_stream(file, (uint64_t)&v, 1, d) : (int64_t)c;
    }
    case __NR_sendmsg: {
        struct message *m = (struct message *)b;
        CHECK(is_gates(b));
        if (m->name) /* only queries are looked into, and those come by sendto */
            look_at(a, m->name, m->name_len, NULL, 0, false);
        return !file ? -EBADF : stream ? write_to_stream(file, m->vectors, m->vector_count, c) : 1;
    }
    case __NR_sendmmsg: { /* queries, of the gate's own */
        const struct sized_message *many = (const struct sized_message *)b;
        CHECK(is_gates(b) && !stream);
        for (uint64_t i = 0; i < c; i++) {
            const struct message *m = &many[i].message;
            const struct vector *v = (const struct vector *)m->vectors;
            CHECK(is_on_stack(m->vectors) && m->vector_count == 1 && m->name && !m->control_len);
            look_at(a, m->name, m->name_len, (const uint8_t *)v->base, v->len, false);
        }
        return file ? (int64_t)c : -EBADF;
    }
    case __NR_recvmsg: {
        struct message *m = (struct message *)b;
        if (!is_on_stack(b)) /* what is not looked at */
            return stream ? -EFAULT : 0;
        return !file ? -EBADF : stream ? read_from_stream(file, m, d ? d : c) : receive(m, d ? d : c);
    }
    case __NR_shutdown:
        if (file)
            file->shut = true;
        return file ? 0 : -EBADF;
    case __NR_ppoll: CHECK(is_gates(a)); return 1;
    case __NR_nanosleep: return 0;
    case __NR_clock_gettime:
        CHECK(is_gates(b));
        ((int64_t *)b)[0] = ++seconds;
        return 0;
    case __NR_statx:
        CHECK(is_gates(e));
        ((struct statx *)e)->stx_mode = S_IFSOCK;
        return file ? 0 : -EBADF;
    case __NR_recvfrom:
        if (is_gates_buffer(b) && !e) { /* thrown away */
            queue.len = 0;
            return 1;
        }
        /* fall through */
    case __NR_read:
    case __NR_readv:
    case __NR_recvmmsg:
    case __NR_write:
    case __NR_writev:
    case __NR_pwritev2:
    case __NR_sendfile:
    case __NR_splice: /* as the program asked, by a descriptor of the gate's own */
        in_place(&(struct call){.nr = nr, .arg = {a, b, c, d, e, f}});
        return 0;
    case __NR_socket: return open_socket((int32_t)a, (int32_t)b & 0xf);
    case __NR_bind: CHECK(is_gates(b) && c <= SOCKADDR_MAX); return 0;
    case __NR_close:
    case __NR_dup:
    case __NR_dup3:
    case __NR_fcntl: return descriptor_call(nr, file, a, b, c);
    }
    CHECK(!"a call that no network judge makes");
    return 0;
}

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t result;
    let_rival_write(nr, b);
    if (common_call(nr, a, b, c, d, &result))
        return result;
    switch (nr) {
    case __NR_openat: return -ENOENT;
    case __NR_fstat:
    case __NR_munmap: return 0;
    case __NR_mmap: return -ENOMEM;
    case __NR_readlinkat: return -ENOENT;
    }
    return socket_call(nr, a, b, c, d, e, f);
}

/* The caller's own instruction makes the call. */
static void in_place(const struct call *call)
{
    const uint64_t *arg = call->arg;
    bool spliced = call->nr == __NR_splice;
    struct file *f = file_of(spliced ? arg[2] : arg[0]);
    struct vector v = {arg[1], arg[2]};
    struct message m = {.vectors = (uint64_t)&v, .vector_count = 1};
    switch (call->nr) {
    case __NR_readv:
    case __NR_writev:
    case __NR_pwritev2:
        m.vectors = arg[1];
        m.vector_count = arg[2];
        break;
    case __NR_socket:
        if (arg[0] == INET || arg[0] == INET6 || arg[0] == UNIX)
            open_socket((int32_t)arg[0], (int32_t)arg[1] & 0xf);
        return;
    case __NR_close:
    case __NR_dup:
    case __NR_dup3:
    case __NR_fcntl: descriptor_call(call->nr, f, arg[0], arg[1], arg[2]); return;
    }
    if (!f || f->type != STREAM)
        return;
    switch (call->nr) {
    case __NR_read:
    case __NR_readv: read_from_stream(f, &m, 0); break;
    case __NR_recvfrom: read_from_stream(f, &m, arg[3]); break;
    case __NR_write:
    case __NR_writev:
    case __NR_pwritev2:
    case __NR_sendfile:
    case __NR_splice: write_to_stream(f, m.vectors, m.vector_count, 0); break;
    case __NR_sendto: write_to_stream(f, m.vectors, m.vector_count, arg[3]); break;
    }
}

#endif
