/* Judges bind(2): the file of a UNIX socket, for read_write_tmp and read_handler; and a socket that could answer in place of
 * the function's name server, for outbound_connectivity. Tests: tests/security/cases/test_files.py. */
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../state/sealed_state.h"
#include "../fds/own_fds.h"
#include "../files/file_verdict.h"
#include "network.h"

/* The kernel's path of an entry of the directory, without links. */
static bool entry_path(int32_t directory, struct text name, char *buffer, uint32_t cap)
{
    struct text path = path_of(directory, buffer, cap);
    struct writer w = {buffer, path.len, cap, path.len == 0};
    put_char(&w, '/');
    put(&w, name);
    put_char(&w, 0);
    return !w.full;
}

/* A relative name depends on the working directory, which another thread may change, and a name in /tmp on links. Both are
 * replaced by the kernel's path of the entry, which getsockname then returns. Where that is too long, a relative name is bound
 * beneath the judged directory. Other names are not replaced; neither is any where nothing is blocked. */
static int64_t bind_beneath(const struct call *call, int32_t parent, struct text name,
                            struct sockaddr_bytes *address)
{
    enum { SUN_PATH_MAX = 108 /* unix(7) */ };
    char *path = (char *)address->bytes + 2, beneath[SUN_PATH_MAX];
    bool is_relative = path[0] != '/';
    bool blocks = sealed->policy.modes[READ_WRITE_TMP] == MODE_BLOCK;
    if (blocks && (is_relative || is_in_tmp(parent))) {
        if (!entry_path(parent, name, beneath, sizeof beneath) &&
            !(is_relative && path_through(parent, name, beneath, sizeof beneath)))
            return -ENAMETOOLONG;
        struct text t = text_of(beneath);
        copy_bytes(path, t.at, t.len + 1);
        address->len = 2 + t.len + 1;
    }
    return KERNEL(bind, call->arg[0], address->bytes, address->len);
}

/* Whether a socket bound there could answer in place of the function's name server, whose address may be this machine's, or any
 * (ip(7), IP_FREEBIND). */
static bool would_answer_names(const struct sockaddr_bytes *address)
{
    uint16_t family;
    copy_bytes(&family, address->bytes, sizeof family);
    bool has_port =
        family == 0 /* the same as INET (net/ipv4/af_inet.c) */ || family == AF_INET || family == AF_INET6;
    return has_port && address->len >= 4 && (address->bytes[2] << 8 | address->bytes[3]) == DNS_PORT;
}

enum outcome judge_bind(struct call *call)
{
    struct sockaddr_bytes address;
    int64_t error = copy_address(call->arg[1], (uint32_t)call->arg[2], &address);
    if (error)
        return answer(call, error);
    if (would_answer_names(&address) && outbound_refused(call, REASON_NOT_LISTED, TEXT("dns")))
        return answer(call, -EACCES);
    if (address.len < 3)
        return answer(call, KERNEL(bind, call->arg[0], address.bytes, address.len));
    uint16_t family;
    copy_bytes(&family, address.bytes, sizeof family);
    if (family != AF_UNIX || address.bytes[2] == 0) /* no file is created */
        return answer(call, KERNEL(bind, call->arg[0], address.bytes, address.len));
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return answer(call, -EAGAIN);
    copy_bytes(scratch->path, address.bytes + 2, address.len - 2);
    scratch->path[address.len - 2] = 0;
    struct text name;
    int32_t parent = (int32_t)own_fd_take(open_parent(AT_FDCWD, scratch->path, 0, &name));
    int64_t result = parent;
    if (parent >= 0) {
        result =
            judge_entry(call, parent, name, ENTRY_ANY) ? -EACCES : bind_beneath(call, parent, name, &address);
        own_fd_close(parent);
    }
    scratch_give(scratch);
    return answer(call, result);
}
