#include "readiness.h"

#include "../base/syscall_ctx.h"
#include "../base/iovec.h"
#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../state/sealed_pages.h"
#include "../state/sealed_state.h"
#include "../files/tmp_clear.h"
#include "../report/alerts.h"
#include "../report/left_out.h"
#include "../sites/native_inventory.h"

/* What a function may do before its first event, and not after. */
static bool blocks_what_ends(void)
{
    const uint8_t *modes = sealed->policy.modes;
    return modes[READ_HANDLER] == MODE_BLOCK || modes[READ_WRITE_TMP] == MODE_BLOCK;
}

/* Where that is blocked, no work is asked for with the handler still open. */
static void become_ready(void)
{
    static const char why[] = "the handler cannot be locked: a limit leaves no memory for it";
    uint64_t signals;
    if (!is_ready() && sealing_begin(&signals)) {
        bool is_first = !is_ready() && replace_gate_table(sealed, true);
        sealing_end(&signals);
        if (is_first)
            report_native_code();
    }
    if (is_ready())
        return;
    if (!blocks_what_ends()) {
        report_itself((enum mode)sealed->policy.modes[SELF_PROTECTION], TEXT("ready"), TEXT(why));
        return;
    }
    report_failure(false, false, &(struct writer){(char *)why, sizeof why - 1, sizeof why, false});
    report_folded(AT_END);
    KERNEL(exit_group, REFUSED);
}

static bool asks_for_event(struct text line)
{
    return text_starts(line, TEXT("GET /2018-06-01/runtime/invocation/next"));
}

/* What runs between the restore and the first event is initialization, but for the handler's being loaded. */
static bool asks_for_restore(struct text line)
{
    return text_starts(line, TEXT("GET /2018-06-01/runtime/restore/next"));
}

static bool nothing_to_see(void)
{
    return is_ready() && !what_is_left_out();
}

void detect_ready(uint64_t pointer, uint64_t len)
{
    char line[READY_LINE];
    if (nothing_to_see() || len < sizeof line || !read_user(line, pointer, sizeof line))
        return;
    bool is_event = asks_for_event((struct text){line, sizeof line});
    if (!is_event && !asks_for_restore((struct text){line, sizeof line}))
        return;
    if (!is_ready())
        become_ready();
    if (is_event)
        clear_tmp();
    report_folded(AT_NEXT_EVENT);
}

void detect_ready_vectors(uint64_t vectors, uint64_t count)
{
    struct vector first = {0, 0}; /* that holds anything */
    if (nothing_to_see())
        return;
    for (uint64_t end = vectors + (count < UIO_MAXIOV ? count : UIO_MAXIOV) * sizeof first;
         !first.len && vectors != end && read_user(&first, vectors, sizeof first); vectors += sizeof first)
        ;
    detect_ready(first.base, first.len);
}
