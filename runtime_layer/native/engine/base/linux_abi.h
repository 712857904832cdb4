/* Constants of the kernel's interface, with the kernel's names, that its headers do not define without a libc. They are the
 * same on x86_64 and aarch64. */
#ifndef SHIELD_LINUX_ABI_H
#define SHIELD_LINUX_ABI_H

#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

/* tcp(7): tcpi_state */
enum { TCP_CLOSE = 7, TCP_CLOSE_WAIT = 8, TCP_LISTEN = 10 };

/* socket(2), connect(2), shutdown(2), unix(7) */
enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_TYPE_MASK = 0xf, SOCK_CLOEXEC = 0x80000 };
enum { SHUT_WR = 1, SHUT_RDWR = 2, SCM_RIGHTS = 1 };
enum {
    IPPROTO_TCP = 6,
    IPPROTO_UDP = 17,
    IPPROTO_DCCP = 33,
    IPPROTO_SCTP = 132,
    IPPROTO_UDPLITE = 136,
    IPPROTO_MPTCP = 262
};

/* send(2), recv(2), readv(2) */
enum {
    MSG_OOB = 0x1,
    MSG_PEEK = 0x2,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100,
    MSG_ERRQUEUE = 0x2000,
    MSG_MORE = 0x8000,
    MSG_WAITFORONE = 0x10000,
    MSG_ZEROCOPY = 0x4000000,
    MSG_FASTOPEN = 0x20000000
};
enum { UIO_MAXIOV = 1024 /* vectors of one call, and messages of one sendmmsg */ };

/* getsockopt(2), socket(7), ip(7), ipv6(7), packet(7) */
enum { SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41, SOL_UDPLITE = 136 };
enum { SO_TYPE = 3, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_LOCK_FILTER = 44, SO_COOKIE = 57, SO_ZEROCOPY = 60 };
enum { IP_MTU = 14, IPV6_MTU = 24, IPV6_FLOWLABEL_MGR = 32 };

/* access(2), statvfs(3), clock_gettime(2), shmat(2) */
enum { W_OK = 2, ST_RDONLY = 1, CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1 };
#ifndef SIG_BLOCK /* tests with a libc get them from signal.h: sigprocmask(2), signal(7) */
#define SIG_BLOCK 0
#define SIG_SETMASK 2
#define SIGURG 23
#endif
#ifndef RLIMIT_CORE /* getrlimit(2), signal(7), capabilities(7) */
#define RLIMIT_FSIZE 1
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_NOFILE 7
#define SIGXFSZ 25
#endif
enum { CAP_SYS_RESOURCE = 24 };
enum { SHM_REMAP = 040000, SHM_EXEC = 0100000 };

/* Newer than some of those headers. */
#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef F_GET_SEALS
#define F_GET_SEALS 1034
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif

enum { READ_IMPLIES_EXEC = 0x400000 /* personality(2) */ };

#endif
