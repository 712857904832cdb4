/* Kernel addresses of any family and length, against the C library's own structures. Input: the bytes. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../../../runtime_layer/native/core/endpoint.h"

static struct address address_of(int family, const void *bytes)
{
    struct address a = {.family = family == AF_INET ? FAMILY_V4 : FAMILY_V6};
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes)) {
        a.family = FAMILY_V4;
        bytes = (const uint8_t *)bytes + 12;
    }
    memcpy(a.bytes, bytes, a.family == FAMILY_V4 ? 4 : 16);
    return a;
}

static bool is_loopback(const struct address *a)
{
    struct in6_addr v6;
    memcpy(&v6, a->bytes, sizeof v6);
    if (a->family == FAMILY_V4)
        return a->bytes[0] == 127 || !(a->bytes[0] | a->bytes[1] | a->bytes[2] | a->bytes[3]);
    return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
}

static void written_form_is_the_systems(const struct address *a)
{
    char system[INET6_ADDRSTRLEN], room[48] = {0};
    struct writer w = {room, 0, sizeof room, false};
    struct address again;
    address_write(a, &w);
    CHECK(!w.full && address_parse((struct text){room, w.used}, &again) && address_equal(a, &again));
    CHECK(inet_ntop(a->family == FAMILY_V4 ? AF_INET : AF_INET6, a->bytes, system, sizeof system));
    if (strchr(system, '.') && strchr(system, ':')) /* ::1.2.3.4: RFC 5952 leaves the choice */
        return;
    CHECK(strlen(system) == w.used && !memcmp(system, room, w.used));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_storage whole = {0};
    struct endpoint to;
    uint8_t *copy = exact_copy(data, size);
    enum sockaddr_kind kind = endpoint_from_sockaddr(copy, (uint32_t)size, &to);
    room_give(copy);
    memcpy(&whole, data, size < sizeof whole ? size : sizeof whole);
    if (size < sizeof(sa_family_t)) {
        CHECK(kind == SOCKADDR_INVALID);
        return 0;
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *)&whole;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&whole;
    struct address expected = {0};
    bool v4 = size >= sizeof *in, v6 = size >= offsetof(struct sockaddr_in6, sin6_scope_id);
    switch (whole.ss_family) {
    case AF_INET:
        CHECK(kind == (v4 ? SOCKADDR_INET : SOCKADDR_INVALID));
        if (v4)
            expected = address_of(AF_INET, &in->sin_addr);
        break;
    case AF_INET6:
        CHECK(kind == (v6 ? SOCKADDR_INET : SOCKADDR_INVALID));
        if (v6)
            expected = address_of(AF_INET6, &in6->sin6_addr);
        break;
    case AF_UNSPEC:
        CHECK(kind == SOCKADDR_UNSPEC);
        if (v4)
            expected = address_of(AF_INET, &in->sin_addr);
        break;
    case AF_UNIX:
    case AF_NETLINK: CHECK(kind == SOCKADDR_LOCAL); break;
    default: CHECK(kind == SOCKADDR_OTHER);
    }
    CHECK(address_equal(&to.ip, &expected));
    CHECK(to.port == (expected.family ? ntohs(in->sin_port) : 0));
    if (!expected.family)
        return 0;
    CHECK(address_is_loopback(&to.ip) == is_loopback(&to.ip));
    uint8_t longest = to.ip.family == FAMILY_V4 ? 32 : 128;
    for (uint32_t prefix = 0; prefix <= UINT8_MAX; prefix++)
        CHECK(address_within(&to.ip, &to.ip, (uint8_t)prefix) == (prefix <= longest));
    (void)address_is_internal(&to.ip);
    written_form_is_the_systems(&to.ip);
    return 0;
}
