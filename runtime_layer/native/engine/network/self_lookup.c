/* Recognises look-ups of a program's own host and of its peers, which drivers, log libraries and runtimes make. They pass
 * without a line where the name carries no information to the name server.
 * Tests: tests/integration/engine/test_self_lookups.py. */
#include "../../core/machine_names.h"
#include "../base/linux_abi.h"
#include "../base/socket_info.h"
#include "../state/sealed_state.h"
#include "dns_query.h"

/* The second text of struct utsname is the host's name (uname(2)). */
enum { UTS_TEXT = 65, UTS_TEXTS = 6 };

static struct text read_host_name(char buffer[UTS_TEXT * UTS_TEXTS])
{
    return is_error(KERNEL(uname, buffer)) ? TEXT("") : text_of(buffer + UTS_TEXT);
}

/* Whether the address is this machine's: a UDP socket connected to it gets the same local address; nothing is sent (ip(7)). */
static bool is_own_address(const struct address *ip)
{
    bool is_v6 = ip->family == FAMILY_V6;
    struct sockaddr_bytes to = {.bytes = {is_v6 ? AF_INET6 : AF_INET}, .len = is_v6 ? 28 : 16}, from = to;
    struct endpoint own;
    copy_bytes(to.bytes + (is_v6 ? 8 : 4), ip->bytes,
               is_v6 ? 16 : 4); /* struct sockaddr_in6, sockaddr_in; port 0 */
    int64_t made = KERNEL(socket, to.bytes[0], SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (is_error(made))
        return false;
    bool is_own = !is_error(KERNEL(connect, made, to.bytes, to.len)) &&
                  !is_error(KERNEL(getsockname, made, from.bytes, &from.len)) &&
                  endpoint_from_sockaddr(from.bytes, from.len, &own) == SOCKADDR_INET &&
                  address_equal(&own.ip, ip);
    KERNEL(close, made);
    return is_own;
}

/* Whether the address is admitted at any port; UDP with port 0 stands for sorting addresses (verdict.c). */
static bool may_be_reached(const struct address *ip)
{
    struct endpoint to = {*ip, 0};
    return verdict_endpoint(&sealed->policy, &sealed->process.always, learned_names(), &to, PROTOCOL_UDP)
               .action == ACTION_ALLOW;
}

bool is_self_lookup(struct text name)
{
    char buffer[UTS_TEXT * UTS_TEXTS];
    struct address ip;
    if (read_reverse_name(name, &ip))
        return may_be_reached(&ip) || is_own_address(&ip);
    return is_machine_name(name, read_host_name(buffer), kept_text(sealed->process.search_domains));
}
