/* Tests: tests/integration/readiness/test_ready.py. */
#include "events.h"

#include "../base/user_memory.h"
#include "../base/linux_abi.h"
#include "../state/process_state.h"
#include "../state/sealed_pages.h"
#include "../files/tmp_clear.h"
#include "../process/kernel_limits.h"
#include "../report/alerts.h"
#include "../sites/loaded_objects.h"

/* Locks the acts that are allowed only before the first event. Ends the process where a blocked one cannot be locked. */
static void become_ready(void)
{
    static const char why[] = "the handler cannot be locked: a limit leaves no memory for it";
    const uint8_t *modes = sealed->policy.modes;
    uint64_t signals;
    if (!is_ready() && take_lock(SEAL, &signals)) {
        bool is_first = !is_ready() && replace_gate_table(sealed, true);
        give_lock(SEAL, &signals);
        if (is_first)
            report_native_code();
    }
    if (is_ready())
        return;
    if (modes[READ_HANDLER] != MODE_BLOCK && modes[READ_WRITE_TMP] != MODE_BLOCK) {
        report_engine((enum mode)modes[SELF_PROTECTION], TEXT("ready"), TEXT(why));
        return;
    }
    report_failure(false, &(struct writer){(char *)why, sizeof why - 1, sizeof why, false});
    report_folded(AT_END);
    KERNEL(exit_group, REFUSED);
}

static void watch_bytes(struct vector bytes)
{
    char line[READY_LINE];
    if (bytes.len < sizeof line || !read_user(line, bytes.base, sizeof line))
        return;
    struct text text = {line, sizeof line};
    bool is_event = text_starts(text, TEXT("GET /2018-06-01/runtime/invocation/next"));
    /* After a restore the handler is already loaded, and the function may initialize until the first event. */
    if (!is_event && !text_starts(text, TEXT("GET /2018-06-01/runtime/restore/next")))
        return;
    bool is_first = !is_ready();
    if (is_first)
        become_ready();
    if (is_event)
        clear_tmp();
    if (!is_event)
        watch_next_event(WATCH_FOR_LIMITS);
    else if (forget_next_event(WATCH_FOR_LIMITS) || is_first)
        hold_kernel_limits();
    report_folded(AT_NEXT_EVENT);
}

/* Watches the first vector that is not empty. */
static void watch_vectors(uint64_t vectors, uint64_t count)
{
    struct vector first = {0, 0};
    for (uint64_t end = vectors + (count < UIO_MAXIOV ? count : UIO_MAXIOV) * sizeof first;
         !first.len && vectors != end && read_user(&first, vectors, sizeof first); vectors += sizeof first)
        ;
    watch_bytes(first);
}

static void watch_messages(uint64_t messages, uint64_t count, uint64_t size)
{
    struct message m;
    for (uint64_t i = 0; i < count && i < UIO_MAXIOV && read_user(&m, messages, sizeof m);
         i++, messages += size)
        watch_vectors(m.vectors, m.vector_count);
}

void watch_for_request(const struct call *call)
{
    const uint64_t *arg = call->arg;
    if (is_ready() && !is_next_event_watched())
        return;
    switch (call->nr) {
    case __NR_writev: watch_vectors(arg[1], (uint32_t)arg[2]); break;
    case __NR_sendmsg: watch_messages(arg[1], 1, 0); break;
    case __NR_sendmmsg: watch_messages(arg[1], (uint32_t)arg[2], sizeof(struct sized_message)); break;
    default: watch_bytes((struct vector){arg[1], arg[2]});
    }
}

/* In a vfork child nothing is reported: its alerts belong to the parent. */
enum outcome judge_end(struct call *call)
{
    (void)call;
    if (is_memory_owner())
        report_folded(AT_END);
    return RUN_IN_PLACE;
}
