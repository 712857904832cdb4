/* The judges: each takes a guarded call, asks the core for a verdict on its facts, and answers. */
#ifndef SHIELD_HANDLERS_H
#define SHIELD_HANDLERS_H

#include <stdbool.h>

#include "syscall_ctx.h"

/* open.c: the object that an open gives */
enum outcome judge_open(struct call *call);
/* path_syscalls.c: calls that change what a path names */
enum outcome judge_path(struct call *call);
/* connect.c, dns_udp_peer.c, socket_options.c, bind.c, send.c, receive.c, fd_dup.c */
enum outcome judge_socket(struct call *call);
enum outcome judge_connect(struct call *call);
enum outcome judge_socket_option(struct call *call);
enum outcome judge_listen(struct call *call);
enum outcome judge_peer_name(struct call *call);
enum outcome judge_bind(struct call *call);
enum outcome judge_send(struct call *call);
enum outcome judge_write(struct call *call);
enum outcome judge_unread(struct call *call);
enum outcome judge_asynchronous(struct call *call);
enum outcome judge_copy(struct call *call);
enum outcome judge_receive(struct call *call);
/* exec.c */
enum outcome judge_exec(struct call *call);
/* forked_child.c: answers a call of a forked copy that may not be a child process, or an open that comes before exec. False:
 * it goes on like any other. */
bool forked_copy_ends(struct call *call);
/* memory_syscalls.c: executable memory, and the engine's own */
enum outcome judge_map(struct call *call);
enum outcome judge_protect(struct call *call);
enum outcome judge_unmap(struct call *call);
enum outcome judge_attach(struct call *call);
enum outcome judge_personality(struct call *call);
/* fd_syscalls.c: the descriptor that alerts are written to */
enum outcome judge_descriptor(struct call *call);
/* escape_syscalls.c: calls with which a program could leave the shield altogether */
enum outcome judge_escape(struct call *call);
enum outcome judge_ring(struct call *call);
enum outcome judge_prctl(struct call *call);
enum outcome judge_clone(struct call *call);
enum outcome judge_end(struct call *call);
enum outcome judge_limit(struct call *call);

/* Each by number: a pointer in each row of the table would cost the library 32 bytes, most of them for the loader. */
#define JUDGES(X)                                                                                            \
    X(judge_open)                                                                                            \
    X(judge_path)                                                                                            \
    X(judge_socket)                                                                                          \
    X(judge_connect)                                                                                         \
    X(judge_socket_option)                                                                                   \
    X(judge_listen)                                                                                          \
    X(judge_peer_name)                                                                                       \
    X(judge_bind)                                                                                            \
    X(judge_send)                                                                                            \
    X(judge_receive)                                                                                         \
    X(judge_write)                                                                                           \
    X(judge_unread)                                                                                          \
    X(judge_asynchronous)                                                                                    \
    X(judge_copy)                                                                                            \
    X(judge_exec)                                                                                            \
    X(judge_map)                                                                                             \
    X(judge_protect)                                                                                         \
    X(judge_unmap)                                                                                           \
    X(judge_attach)                                                                                          \
    X(judge_personality)                                                                                     \
    X(judge_descriptor)                                                                                      \
    X(judge_escape)                                                                                          \
    X(judge_ring)                                                                                            \
    X(judge_prctl)                                                                                           \
    X(judge_clone)                                                                                           \
    X(judge_end)                                                                                             \
    X(judge_limit)
#define NUMBER_OF_JUDGE(judge) number_of_##judge,
enum { JUDGES(NUMBER_OF_JUDGE) JUDGE_COUNT };

#endif
