/* Tests: tests/integration/engine/test_lines.py. */
#include "alerts.h"

#include "../../core/native_code.h"
#include "../../core/object_names.h"
#include "../../core/runtime_profile.h"
#include "../base/linux_abi.h"
#include "../base/raw_syscall.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../state/sealed_state.h"
#include "../state/syscall_policy.h"
#include "caller.h"
#include "left_out.h"
#include "log_writer.h"
#include "node_notes.h"

/* Seconds between two lines about the same file of the handler. */
enum { HANDLER_PAUSE = 60 };

/* The number of events in this second. */
static uint32_t number_in(const uint64_t *rate, uint64_t second)
{
    uint64_t seen = __atomic_load_n(rate, __ATOMIC_RELAXED);
    return seen >> 16 == second ? seen & 0xffff : 0;
}

/* Counts an event of this second; `number` is its index. False: the second has LINES_A_SECOND already. */
static bool is_within_rate(uint64_t *rate, uint64_t second, uint32_t *number)
{
    uint64_t seen = __atomic_load_n(rate, __ATOMIC_RELAXED);
    for (uint32_t try = 0; try < 64; try++) {
        *number = seen >> 16 == second ? seen & 0xffff : 0;
        if (*number >= LINES_A_SECOND)
            return false;
        if (__atomic_compare_exchange_n(rate, &seen, second << 16 | (*number + 1), true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

static void take_arguments(struct alert *alert, const uint64_t *argv, char *pool, uint32_t cap)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < ALERT_ARGUMENTS; i++) {
        uint64_t pointer;
        uint32_t room = cap - used < 257 ? cap - used : 257;
        if (room < 2 || !read_user(&pointer, (uint64_t)(argv + i), sizeof pointer) || !pointer)
            break;
        int64_t len = read_user_string(pool + used, pointer, room);
        if (len == -EFAULT)
            break;
        if (len < 0) /* longer than the room, so it is cut */
            len = room - 1;
        alert->arguments[alert->argument_count++] = (struct text){pool + used, (uint32_t)len};
        used += (uint32_t)len + 1;
    }
}

static struct source_place find_place(const struct alert *alert, const struct call *call,
                                      struct scratch *scratch, struct text wanted)
{
    return sealed->process.language == LANGUAGE_NODE
               ? find_node_place(alert, (struct place_texts *)scratch->path)
               : python_caller(call, scratch, wanted);
}

/* Names the object and the source line that made the call. The texts are kept in scratch->path; scratch->line and the rest of
 * scratch->link, behind caller_object's text, are overwritten. */
static void find_caller(struct alert *alert, const struct call *call, struct scratch *scratch)
{
    alert->object = text_equal(alert->protocol, TEXT("dns")) ? lookup_caller(call, scratch)
                                                             : caller_object(call, scratch);
    alert->place = find_place(alert, call, scratch, TEXT(""));
}

bool is_call_by_others(const struct call *call, const struct facts *facts, enum protocol protocol,
                       struct text wanted, struct writer *entry)
{
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return false;
    struct alert alert = {
        .policy = OUTBOUND_CONNECTIVITY, .host = facts->host, .ip = facts->to.ip, .port = facts->to.port};
    struct source_place place = find_place(&alert, call, scratch, wanted);
    bool is_by_others = !place.is_named && place.to_own_code &&
                        verdict_is_by_others(&sealed->policy, learned_names(), &facts->to, protocol, &place);
    for (uint32_t i = 0; i < place.to_own_code && is_by_others; i++) {
        put_words(entry, i ? ">" : " by ");
        put(entry, place.packages[i]);
    }
    scratch_give(scratch);
    return is_by_others;
}

/* Fills the members that every alert has, and writes it. False: it was not written, and stays counted. */
static bool send_alert(struct alert *alert, struct scratch *scratch)
{
    alert->origin = line_origin();
    alert->pid = (uint32_t)KERNEL(getpid);
    char trace[TRACE_ID_MAX];
    alert->trace = find_trace_id(trace, scratch->line);
    /* A line about a file of the handler includes the count of earlier ones (write_handler_alert). */
    uint32_t count = reserve_left_out(alert->policy, alert->mode, 1, alert->policy == READ_HANDLER);
    alert->left_out = count - 1;
    uint32_t len = alert_write(alert, scratch->line);
    /* A newline in front, as the program's last line in the log may be unfinished. */
    char *line = scratch->line - 1;
    line[0] = '\n';
    bool is_written = log_write(sealed->process.log, line, len + 1, NULL);
    settle_left_out(alert->policy, alert->mode, count, is_written);
    return is_written;
}

/* Writes the target as text into scratch->line. */
static struct text render_target(const struct alert *alert, struct scratch *scratch, struct writer *w)
{
    *w = (struct writer){scratch->line, 0, sizeof scratch->line, false};
    alert_put_details(alert, w);
    alert_put_allow(alert, w);
    return (struct text){w->at, w->used};
}

static void count_without_line(const struct alert *alert, bool is_repeated, struct text target)
{
    bool is_notice =
        severity_of(alert->policy, alert->mode, alert->blocks, alert->path, alert->reason) == NOTICE;
    uint32_t kind = alert->mode + (!is_repeated ? FOLDED : is_notice ? REPEATED_NOTICES : REPEATED);
    keep_target(alert->policy, kind, target, alert->allow);
    leave_out(alert->policy, kind, LEFT_OUT_OF_SECOND);
}

/* Writes a violation once in a second. Repetitions, and violations beyond LINES_A_SECOND, are counted. */
static bool write_once(struct alert *alert, const struct call *call, struct scratch *scratch)
{
    struct storm *storm = &sealed->process.own->storm;
    struct writer w;
    uint64_t *lines = &storm->lines[alert->policy];
    uint32_t number;
    bool names_caller = is_within_rate(&storm->searches[alert->policy], alert->seconds, &number);
    if (names_caller)
        find_caller(alert, call, scratch);
    struct text target = render_target(alert, scratch, &w);
    if (names_caller)
        alert_put_caller(alert, &w);
    struct reported violation =
        hash_violation(alert, target, (struct text){w.at + target.len, w.used - target.len});
    bool is_repeated = is_reported(&violation, alert->policy, number_in(lines, alert->seconds));
    if (is_repeated || !is_within_rate(lines, alert->seconds, &number)) {
        count_without_line(alert, is_repeated, target);
        return false;
    }
    if (!names_caller)
        find_caller(alert, call, scratch);
    bool is_written = send_alert(alert, scratch);
    if (is_written)
        record_reported(&violation, alert->policy, number);
    else
        keep_target(alert->policy, alert->mode, render_target(alert, scratch, &w), alert->allow);
    return is_written;
}

static bool write_alert(struct alert *alert, const struct call *call, const struct facts *facts)
{
    alert->blocks = policy_blocks(&sealed->policy);
    struct scratch *scratch = scratch_take();
    if (!scratch) {
        leave_out(alert->policy, alert->mode, LEFT_OUT);
        return false;
    }
    if (facts->arguments && !sealed->policy.hide_arguments)
        take_arguments(alert, facts->arguments, scratch->other, sizeof scratch->other);
    bool is_written = write_once(alert, call, scratch);
    scratch_give(scratch);
    if (is_written)
        report_folded(AFTER_A_LINE);
    return is_written;
}

/* Python reads the handler's source for each traceback that it prints, so one line in HANDLER_PAUSE seconds reports it. */
static void write_handler_alert(struct alert *alert, const struct call *call, const struct facts *facts)
{
    uint32_t *reported = &sealed->process.own->storm.handler[facts->handler][alert->mode],
             second = (uint32_t)alert->seconds;
    uint32_t before = __atomic_load_n(reported, __ATOMIC_RELAXED);
    if (second - before < HANDLER_PAUSE ||
        !__atomic_compare_exchange_n(reported, &before, second, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        leave_out(alert->policy, alert->mode, LEFT_OUT_QUIETLY);
    else if (write_alert(alert, call, facts))
        __atomic_store_n(&sealed->process.own->storm.handler_reported, second, __ATOMIC_RELAXED);
    else
        __atomic_store_n(reported, before, __ATOMIC_RELAXED);
}

static void set_time(struct alert *alert)
{
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, CLOCK_REALTIME, now);
    alert->seconds = now[0];
    alert->micros = (uint32_t)(now[1] / 1000);
}

static void report_violation(const struct call *call, struct verdict verdict, const struct facts *facts)
{
    struct alert alert = {
        .policy = verdict.policy,
        .mode = verdict.action == ACTION_DENY ? MODE_BLOCK : MODE_ALERT,
        .reason = verdict.reason == REASON_PACKAGE || verdict.reason == REASON_DENIED
                      ? reason_name(verdict.reason)
                      : TEXT(""),
        .host = facts->host,
        .ip = facts->to.ip,
        .port = facts->to.port,
        .protocol = facts->protocol,
        .sni = facts->sni,
        .path = facts->path,
        .syscall = syscall_name(call->nr),
        .allow = facts->allow,
    };
    set_time(&alert);
    if (alert.policy == READ_HANDLER)
        write_handler_alert(&alert, call, facts);
    else
        write_alert(&alert, call, facts);
}

static void report_own(struct alert alert)
{
    struct call call = {.nr = -1, .stack = (uint64_t)__builtin_frame_address(0)};
    set_time(&alert);
    write_alert(&alert, &call, &(struct facts){0});
}

void report_engine(enum mode mode, struct text act, struct text why)
{
    if (mode != MODE_ALLOW)
        report_own((struct alert){.policy = SELF_PROTECTION,
                                  .mode = mode,
                                  .syscall = act,
                                  .argument_count = 1,
                                  .arguments = {why}});
}

void report_not_cleared(struct text why, struct text path)
{
    report_own((struct alert){.policy = READ_WRITE_TMP,
                              .mode = MODE_ALERT,
                              .syscall = TEXT("clear_tmp"),
                              .argument_count = path.len ? 2 : 1,
                              .arguments = {why, path}});
}

bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts)
{
    if (verdict.action == ACTION_ALLOW)
        return false;
    report_violation(call, verdict, facts);
    return verdict.action == ACTION_DENY;
}

bool self_protection_refused(const struct call *call, struct text path)
{
    struct facts facts = {.path = path};
    return refuses(call, verdict_unlisted(&sealed->policy, SELF_PROTECTION, REASON_SELF_PROTECTION), &facts);
}

bool executable_memory_refused(const struct call *call, struct text path, struct text requester)
{
    char entry[OBJECT_NAME_MAX];
    struct writer w = {entry, 0, sizeof entry, false};
    put_object_entry(&w, requester);
    struct facts facts = {.path = path, .allow = {entry, w.used}};
    return refuses(call, verdict_executable_memory(&sealed->policy, requester), &facts);
}

void report_node_ffi(struct text program)
{
    report_own((struct alert){.policy = EXECUTABLE_MEMORY,
                              .mode = MODE_ALERT,
                              .path = program,
                              .syscall = TEXT("execve"),
                              .allow = TEXT(NODE_FFI)});
}

bool bridge_is_refused(const struct call *call, struct text path, struct text entry)
{
    struct verdict verdict = verdict_bridge(&sealed->policy, entry, sealed->process.memory_by_runtime);
    return refuses(call, verdict, &(struct facts){.path = path, .allow = entry});
}

static bool write_folded(uint32_t policy, uint32_t kind, uint32_t count, uint64_t patience[2])
{
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return false;
    enum severity severity =
        kind < REPEATED_NOTICES
            ? severity_of(policy, kind % ALERT_MODES, policy_blocks(&sealed->policy), TEXT(""), TEXT(""))
            : NOTICE;
    bool is_of_packages = kind >= REPEATED_NOTICES && policy == OUTBOUND_CONNECTIVITY;
    struct text reason = is_of_packages ? reason_name(REASON_PACKAGE) : TEXT("");
    struct writer w = {scratch->line, 0, sizeof scratch->line, false};
    begin_line(&w, kind < REPEATED ? TEXT("folded") : TEXT("repeated"), severity_level(severity, reason));
    put_text_member(&w, "policy", policy_name(policy), LINE_WORD);
    put_text_member(&w, "mode", mode_name(kind % ALERT_MODES), LINE_WORD);
    put_text_member(&w, "severity", severity_name(severity), LINE_WORD);
    put_field(&w, "count", count);
    put_text_member(&w, "reason", reason, LINE_WORD);
    put_target(&w, policy, kind);
    bool is_written = end_line(&w, patience);
    scratch_give(scratch);
    if (is_written)
        forget_target(policy, kind);
    return is_written;
}

/* Writes the count of one policy and kind. False: the log takes no line now. */
static bool write_count(uint32_t policy, uint32_t kind, const uint64_t *now, uint64_t patience[2])
{
    uint32_t count = patience ? reserve_all_left_out(policy, kind) : reserve_left_out(policy, kind, 0, true);
    if (!count)
        return true;
    bool is_written = write_folded(policy, kind, count, patience);
    settle_left_out(policy, kind, count, is_written);
    if (is_written && policy == READ_HANDLER)
        __atomic_store_n(&sealed->process.own->storm.handler_reported, (uint32_t)now[0], __ATOMIC_RELAXED);
    return is_written;
}

/* Waits a moment for lines that other threads are writing, which would be counted twice. */
static void await_other_lines(void)
{
    enum { TURNS = 10 };
    const uint64_t millisecond[2] = {0, 1000000};
    for (uint32_t turn = 0; turn < TURNS && is_any_reserved(); turn++)
        KERNEL(nanosleep, millisecond, 0);
}

/* Not inlined, as it rarely runs. */
__attribute__((noinline)) static void report_now(enum when when)
{
    struct storm *storm = &sealed->process.own->storm;
    uint64_t now[2] = {0, 0}, tenth_of_a_second[2] = {0, 100000000};
    KERNEL(clock_gettime, CLOCK_REALTIME, now);
    uint32_t second = (uint32_t)now[0];
    bool storming = false;
    for (uint32_t policy = 0; policy < POLICY_COUNT; policy++)
        storming |= number_in(&storm->lines[policy], now[0]);
    bool was_tried = when == AT_ANY_CALL &&
                     (storming || __atomic_exchange_n(&storm->flushed, second, __ATOMIC_RELAXED) == second);
    if (was_tried)
        return;
    bool handler_waits = when != AT_END &&
                         second - __atomic_load_n(&storm->handler_reported, __ATOMIC_RELAXED) < HANDLER_PAUSE;
    bool takes_lines = true;
    clear_left_out_reasons();
    for (uint32_t policy = 0; policy < POLICY_COUNT && takes_lines; policy++)
        for (uint32_t kind = 0; kind < LEFT_OUT_KINDS && takes_lines; kind++)
            if (policy != READ_HANDLER || !handler_waits)
                takes_lines = write_count(policy, kind, now, when == AT_END ? tenth_of_a_second : NULL);
            else if (when != AT_NEXT_EVENT && is_any_left_out(policy, kind))
                watch_next_event(LEFT_OUT_QUIETLY);
}

void report_folded(enum when when)
{
    uint8_t reasons = left_out_reasons();
    if (when == AT_END && has_unwritten_counts()) {
        await_other_lines();
        report_now(when);
    } else if (reasons & LEFT_OUT || (reasons & LEFT_OUT_OF_SECOND && when != AFTER_A_LINE) ||
               (reasons & LEFT_OUT_QUIETLY && when == AT_NEXT_EVENT)) {
        report_now(when);
    }
}
