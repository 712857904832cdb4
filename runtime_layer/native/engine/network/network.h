/* Functions that the network judges share: the caller's addresses, and verdicts on them. */
#ifndef SHIELD_NETWORK_H
#define SHIELD_NETWORK_H

#include "../base/user_memory.h"
#include "../base/socket_info.h"
#include "../report/alerts.h"
#include "dns_query.h"

/* The name that last resolved to an address; of a long one, its end. False: there is none. */
struct kept_name {
    char at[NAME_KEPT];
    uint32_t len;
};
bool find_learned_name(const struct address *ip, struct kept_name *kept);
/* Copies the caller's address. 0, -EINVAL or -EFAULT, as from the kernel. */
int64_t copy_address(uint64_t pointer, uint32_t len, struct sockaddr_bytes *out);
/* Judges an address, and reports. 0, -EACCES, or the kernel's error for a descriptor that is no socket. */
int64_t judge_endpoint(const struct call *call, const struct endpoint *to, struct socket_facts *socket);
/* connect(2), judged. */
int64_t judge_and_connect(const struct call *call, struct socket_facts *socket,
                          const struct sockaddr_bytes *address);
/* Whether a TCP connection to this peer must be read. */
bool is_inspected_endpoint(const struct endpoint *to);
/* Judges an act that no list admits, and reports: an address family, a datagram that is no query. True: it is refused. */
bool outbound_refused(const struct call *call, enum reason reason, struct text protocol);
/* The same for bytes that cannot be read, and may name any server. */
bool unread_refused(const struct call *call, struct text protocol);
/* Whether it may be a name server: port 53 of any address counts, as servers forward. */
bool is_dns_port(const struct endpoint *to);
/* Whether the socket sends datagrams to it. */
bool is_dns_datagram(const struct endpoint *to, struct socket_facts *socket);
/* Sends on a TCP socket that has a mark. Returns the result of sendmsg. An address in the message is dropped, as a connection
 * ignores it. */
int64_t send_on_tcp(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);
/* The same for a connection to a name server. */
int64_t send_queries(const struct call *call, int32_t descriptor, const struct message *m, uint64_t flags);
/* Receives from a name server for the caller's header `m`, and learns from the answers. */
int64_t receive_answers(int32_t descriptor, struct message *m, uint64_t flags);
/* Judges the control messages of a socket, and points `m` to their copy in `copy`, of CONTROL_MAX bytes. More are refused, as
 * no program sends so many. 0, or an errno. */
enum { CONTROL_MAX = 1040 /* 253 descriptors (unix(7)) */ };
int64_t judge_control(const struct call *call, struct socket_facts *socket, struct message *m, uint8_t *copy);

#endif
