#include "route.h"

#include <linux/rtnetlink.h>

#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"

struct question {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute; /* RTA_DST */
    uint8_t address[16];
};

struct answer {
    struct nlmsghdr header;
    struct nlmsgerr error;
};

static int64_t ask(int32_t socket, const struct address *ip, struct answer *answer)
{
    struct question q = {
        .header = {.nlmsg_len = sizeof q, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = AF_INET6, .rtm_dst_len = 8 * sizeof q.address},
        .attribute = {.rta_len = sizeof q.attribute + sizeof q.address, .rta_type = RTA_DST}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    copy_bytes(q.address, ip->bytes, sizeof q.address);
    int64_t sent = KERNEL(sendto, socket, &q, sizeof q, MSG_DONTWAIT, &kernel, sizeof kernel);
    return is_error(sent) ? sent : KERNEL(recvfrom, socket, answer, sizeof *answer, MSG_DONTWAIT, 0, 0);
}

/* Not by connecting a socket of another kind, which could send something out. */
bool has_no_route(const struct address *ip)
{
    struct answer answer = {.header = {.nlmsg_type = NLMSG_NOOP}};
    int64_t socket = KERNEL(socket, AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (is_error(socket))
        return false;
    int64_t got = ask((int32_t)socket, ip, &answer);
    KERNEL(close, socket);
    return got >= (int64_t)sizeof answer && answer.header.nlmsg_type == NLMSG_ERROR &&
           answer.error.error == -ENETUNREACH;
}
