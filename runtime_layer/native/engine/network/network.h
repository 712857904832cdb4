/* What the network judges share: addresses as the caller gave them, and the verdict on them. */
#ifndef SHIELD_NETWORK_H
#define SHIELD_NETWORK_H

#include "../report/alerts.h"
#include "dns_query.h"
#include "../base/socket_info.h"
#include "../base/user_memory.h"

/* struct user_msghdr and mmsghdr (include/linux/socket.h) on 64-bit. */
struct message {
    uint64_t name;
    uint32_t name_len, pad;
    uint64_t vectors, vector_count;
    uint64_t control, control_len;
    uint32_t flags, pad2;
};
struct many {
    struct message message;
    uint32_t len, pad;
};
struct vector {
    uint64_t base, len;
};

enum { VECTORS_MAX = 1024 /* UIO_MAXIOV: the kernel's own bound, for vectors and for sendmmsg */ };

/* Copies the caller's address. 0, -EINVAL or -EFAULT, as the kernel would say. */
int64_t copy_address(uint64_t pointer, uint32_t len, struct sockaddr_bytes *out);
/* Judges an address; reports. 0, -EACCES, or the kernel's word on a descriptor that is no socket. */
int64_t judge_endpoint(const struct call *call, const struct endpoint *to, int32_t descriptor);
/* connect(2), judged. */
int64_t make_connection(const struct call *call, int32_t descriptor, const struct sockaddr_bytes *address);
/* Does a TCP connection to there have to be read? */
bool is_seen(const struct endpoint *to);
/* Reports something that no list can admit: an address family, a datagram that is no query. */
bool outbound_refused(const struct call *call, enum reason reason, struct text protocol);
/* Is it a name server? Port 53 counts wherever it is: servers forward. */
bool may_carry_names(const struct endpoint *to);
/* And a datagram to it? */
bool carries_names(const struct endpoint *to, int32_t descriptor);
/* Judges the control messages of a socket and turns `m` to their copy in `copy`, which holds CONTROL_MAX
 * bytes: more are refused, as no program sends so many. 0, or an errno. */
enum { CONTROL_MAX = 1040 /* 253 descriptors (unix(7)) */ };
int64_t judge_control(const struct call *call, int32_t descriptor, struct message *m, uint8_t *copy);
bool is_resolver_address(const struct endpoint *to);
/* Copies what the caller's vectors hold. Its length, -EFAULT, or -EMSGSIZE when it is longer than cap. */
int64_t gather(const struct message *m, uint8_t *out, uint64_t cap);
/* The same, up to cap bytes. */
int64_t gather_some(const struct message *m, uint8_t *out, uint64_t cap);
/* The other way round: false when it cannot be written. */
bool scatter(const struct message *m, const uint8_t *bytes, uint64_t len);
/* How much the vectors have room for, up to most. */
uint64_t room_in(const struct message *m, uint64_t most);

#endif
