/* The table of system calls that a policy guards, with their judges. */
#ifndef SHIELD_SYSCALL_POLICY_H
#define SHIELD_SYSCALL_POLICY_H

#include "../../core/policy.h"

/* The newest call in the list; gate/dispatch.c answers newer ones. */
enum { NEWEST_CALL = 471 };

/* Reasons to guard a call. A row is guarded when one of its reasons holds for the policy. */
enum reason_to_guard {
    FOR_OUTBOUND = 1,
    FOR_FILES = 2,    /* read_write_tmp or read_handler */
    FOR_PATHS = 4,    /* the same, for calls that change names */
    ALWAYS = 8,       /* any policy: calls that a later, stricter policy depends on, and started programs */
    FOR_SAFETY = 16,  /* any policy that blocks or alerts: the engine itself */
    UNTIL_READY = 32, /* read_handler, and a wrapper: only until the first request for an invocation */
    FOR_COPIES = 64,  /* create_child_process: further calls that a forked copy may not make */
    FOR_STREAMS = 128 /* outbound_connectivity: reads and writes of descriptors, which any copy may make */
};
enum { NOT_FOR_COPIES = FOR_OUTBOUND | FOR_FILES | FOR_PATHS };

/* The judges, by number: a pointer in each row of the table would cost 32 bytes, mostly for the loader. The functions are in
 * other folders (gate/judges.h). */
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

/* The part of a call's row that the gate reads, by the call's number; no reasons: not in the table. Filled once, then sealed.
 */
struct judged {
    uint8_t reasons, judge;
};

struct sealed;

/* Must be called before sites are searched and before the table is filled. */
void list_guarded_calls(void);
/* Fills a gate table for a policy; GATE_READY must be set in it. */
void guard_calls(uint8_t *table, const struct sealed *s);
/* Whether a mode of the policy can alert. */
bool reports_anything(const struct policy *p);
/* Whether this or a later, stricter policy may guard the call. All such sites are patched at once, so that a stricter policy
 * changes a table and no code. */
bool may_be_guarded(int64_t nr);
/* For alert lines; empty when the call is not in the table. */
struct text syscall_name(int64_t nr);

#endif
