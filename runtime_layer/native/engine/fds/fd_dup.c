/* Copies descriptors with their marks. Tests: tests/lab/fuzz/network.c. */
#include "../base/syscall_ctx.h"
#include "../base/raw_syscall.h"
#include "../state/process_state.h"
#include "fd_marks.h"

/* Gives a copy of a descriptor the same marks. False: its number is too high for a needed mark. Does nothing in a vfork child,
 * whose numbers are not its parent's. */
static bool copy_marks(int32_t from, int32_t to)
{
    if (!is_memory_owner())
        return true;
    enum mark_kind kind = fd_mark_kind(from);
    if (has_mark(from) || has_mark(to))
        set_marks_inexact();
    if (kind != MARK_NONE && !set_mark(to, kind))
        return false;
    if (has_udp_dns_mark(from) && !is_tcp(&(struct socket_facts){.descriptor = from}))
        mark_udp_dns(to);
    return true;
}

int64_t make_tcp_socket(const uint64_t *arg)
{
    int64_t made = KERNEL(socket, arg[0], arg[1], arg[2]);
    if (is_error(made) || set_mark((int32_t)made, MARK_TCP_NEW))
        return made;
    KERNEL(close, made);
    return -EMFILE;
}

enum outcome judge_copy(struct call *call)
{
    int64_t copy = kernel_call(call->nr, call->arg[0], call->arg[1], call->arg[2], 0, 0, 0);
    if (is_error(copy) || copy_marks((int32_t)call->arg[0], (int32_t)copy))
        return answer(call, copy);
    KERNEL(close, copy);
    return answer(call, -EMFILE);
}

/* Checks the number before the call, as a replaced descriptor cannot be restored. */
int64_t replace_descriptor(const struct call *call)
{
    const uint64_t *arg = call->arg;
    int32_t from = (int32_t)arg[0], to = (int32_t)arg[1];
    if (has_tcp_mark(from) && (uint32_t)to >= MARKED_FDS_MAX)
        return -EBADF; /* as the kernel answers */
    int64_t result = kernel_call(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    if (!is_error(result))
        copy_marks(from, to);
    return result;
}
