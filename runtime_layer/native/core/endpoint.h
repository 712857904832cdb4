/* Canonical addresses: one form for the many spellings of an IP address.
 *
 * ::ffff:a.b.c.d becomes a.b.c.d. 0.0.0.0 and :: mean this host: Linux connects both to loopback (ip(7)).
 */
#ifndef SHIELD_ENDPOINT_H
#define SHIELD_ENDPOINT_H

#include "text.h"

enum family { FAMILY_NONE, FAMILY_V4, FAMILY_V6 };
enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_OTHER };

struct address {
    uint8_t family;    /* enum family */
    uint8_t bytes[16]; /* network order; v4 uses the first four, the rest are zero */
};

struct endpoint {
    struct address ip;
    uint16_t port; /* host order */
};

enum sockaddr_kind {
    SOCKADDR_INVALID, /* too short for its family: the kernel itself refuses it */
    SOCKADDR_INET,    /* *to is filled */
    SOCKADDR_LOCAL,   /* AF_UNIX, AF_NETLINK: stays on this machine */
    SOCKADDR_UNSPEC,  /* AF_UNSPEC: a disconnect for connect(2), AF_INET for sendto(2) */
    SOCKADDR_OTHER    /* any other family: VSOCK, PACKET, ALG, ... */
};

/* Reads a sockaddr in Linux's layout, on every platform. Makes mapped addresses canonical. */
enum sockaddr_kind endpoint_from_sockaddr(const uint8_t *sockaddr, uint32_t len, struct endpoint *to);

/* Strict text forms: dotted quad with no leading zeros; RFC 4291 v6, no scope. Maps ::ffff:a.b.c.d to v4. */
bool address_parse(struct text t, struct address *out);
void address_write(const struct address *a, struct writer *w); /* RFC 5952 for v6 */
/* The same, in brackets where an entry needs them: before a port, and where the end looks like a port. */
void address_write_entry(const struct address *a, bool has_port, struct writer *w);
/* Whether the text may be an IPv6 address and a port without brackets, such as 2001:db8::1:443. */
bool address_and_port(struct text t, struct text *address, struct text *port);
bool address_equal(const struct address *a, const struct address *b);
bool address_within(const struct address *a, const struct address *network, uint8_t prefix);
bool address_is_loopback(const struct address *a);                        /* 127/8, ::1, 0.0.0.0, :: */
bool network_has_loopback(const struct address *network, uint8_t prefix); /* one of them, or more */
/* The IPv4 address that a NAT64 gateway reaches for this one (RFC 6052, 64:ff9b::/96). */
bool address_from_nat64(const struct address *a, struct address *inner);
/* Link-local (169.254/16, fe80::/10), multicast, broadcast, the metadata services (169.254.169.254, fd00:ec2::254): no name
 * may resolve to one (DNS rebinding). */
bool address_is_internal(const struct address *a);

/* A host name as DNS and TLS take it: letters, digits, hyphens, underscores and dots; labels of 1 to 63 bytes, 253 in all;
 * one trailing dot is allowed; not an IP address. */
bool hostname_is_well_formed(struct text t);
/* The same; `out` (254 bytes at least) receives lower case without the trailing dot. */
bool hostname_canonical(struct text t, struct writer *out);

#endif
