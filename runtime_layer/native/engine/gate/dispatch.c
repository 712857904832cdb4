/* Calls the judge of a guarded call, for the gate's assembly. Tests: tests/integration/engine/test_midst.py. */
#include "judges.h"

#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../state/syscall_policy.h"
#include "../report/alerts.h"
#include "../report/left_out.h"
#include "../fds/fd_marks.h"
#include "../network/network.h"
#include "../process/exec.h"
#include "../lifecycle/events.h"

_Static_assert(sizeof *fd_marks == 1 << MARK_SHIFT && MARKED_FDS_MAX == 1 << DESCRIPTOR_BITS &&
                   MARK_TCP_DNS == MARK_READ && MARK_TCP_SEEN < MARK_READ,
               "as gate.S reads marks");
_Static_assert(PROT_EXEC == 1 << PROT_EXEC_BIT && MAP_FIXED == 1 << MAP_FIXED_BIT &&
                   MAP_FIXED_NOREPLACE == 1 << MAP_FIXED_NOREPLACE_BIT,
               "as gate.S reads arguments");
_Static_assert(sizeof sealed->process.log == 4 && GATE_LOG % 4 == 0, "gate.S reads the log's descriptor");

#define CASE(judge)                                                                                          \
    case number_of_##judge: return judge(call);
static enum outcome judge_by_number(uint8_t number, struct call *call)
{
    switch (number) {
        JUDGES(CASE)
    }
    return answer(call, -ENOSYS); /* no row has another number */
}

/* A call that is newer than the table gets ENOSYS, as from an older kernel. In alert mode too, as its effects could not be
 * reported. */
static enum outcome judge_newer(struct call *call)
{
    return sealed->policy.modes[SELF_PROTECTION] == MODE_ALLOW ? RUN_IN_PLACE : answer(call, -ENOSYS);
}

/* A vfork child shares this memory, but the marks do not describe its descriptors. It may arrange descriptors, start a program,
 * or end (vfork(2)); network calls are refused. */
static bool is_refused_to_vfork_child(const struct call *call, struct judged by)
{
    uint8_t network = by.reasons & gate_table[GATE_REASONS] & (FOR_OUTBOUND | FOR_STREAMS);
    if (!network || by.judge == number_of_judge_copy || is_memory_owner())
        return false;
    struct socket_facts socket = {.descriptor = (int32_t)call->arg[0]};
    bool is_socket = has_mark(socket.descriptor) && (is_tcp(&socket) || is_internet_datagram(&socket));
    return (network & FOR_OUTBOUND || is_socket) && outbound_refused(call, REASON_NOT_LISTED, TEXT("vfork"));
}

/* The gate's assembly calls this for guarded and for unknown numbers. */
enum outcome gate_judge(struct call *call) __attribute__((visibility("hidden")));

enum outcome gate_judge(struct call *call)
{
    /* The kernel takes the low 32 bits of the register, and x32 has a second number for each call. Only programs that hide a
     * call use either. */
    if (call->nr < 0 || call->nr >= 0x40000000)
        return judge_escape(call);
    if (call->nr > NEWEST_CALL)
        return judge_newer(call);
    const struct judged by = ((const struct judged *)&gate_table[GATE_JUDGED])[call->nr];
    if (!by.reasons)
        return RUN_IN_PLACE;
    if (record_owner())
        clear_left_out_reasons(); /* the parent reports the counts that were copied from it */
    if (left_out_reasons())
        report_folded(AT_ANY_CALL);
    if (by.reasons & NOT_FOR_COPIES && is_forked_copy() && answer_forked_copy(call))
        return ANSWERED;
    if (!(by.reasons & gate_table[GATE_REASONS]) && !(by.reasons & UNTIL_READY && is_next_event_watched()))
        return RUN_IN_PLACE;
    if (is_refused_to_vfork_child(call, by))
        return answer(call, -EACCES);
    bool is_single = is_single_threaded();
    if (is_single)
        trust_pages(is_single_threaded() ? call : NULL); /* a signal handler's call may have unmapped pages */
    if (by.reasons & UNTIL_READY)
        watch_for_request(call);
    enum outcome outcome = judge_by_number(by.judge, call);
    if (is_single)
        trust_pages(NULL);
    return outcome;
}
