#include "report.h"

#include "caller.h"
#include "guarded.h"
#include "kernel.h"
#include "log.h"
#include "process.h"
#include "state.h"
#include "user_memory.h"

#ifndef SHIELD_VERSION
#error "the build gives SHIELD_VERSION"
#endif

/* A storm costs the program no more than this many lines a second; the rest is counted, and the next line that can be
 * written says how many there were. */
enum { LINES_A_SECOND = 200 };

static bool within_rate(uint64_t second)
{
    uint64_t *storm = &storm_of_process()->lines;
    uint64_t seen = __atomic_load_n(storm, __ATOMIC_RELAXED);
    for (uint32_t try = 0; try < 64; try++) {
        uint64_t lines = seen >> 16 == second ? seen & 0xffff : 0;
        if (lines >= LINES_A_SECOND)
            return false;
        if (__atomic_compare_exchange_n(storm, &seen, second << 16 | (lines + 1), true, __ATOMIC_RELAXED,
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
        if (len < 0) /* longer than the room: cut */
            len = room - 1;
        alert->arguments[alert->argument_count++] = (struct text){pool + used, (uint32_t)len};
        used += (uint32_t)len + 1;
    }
}

/* Fills what every alert has, and writes it. */
static void send_alert(struct alert *alert, const struct call *call, const uint64_t *now,
                       struct scratch *scratch)
{
    uint32_t *folded = &storm_of_process()->folded;
    alert->seconds = now[0];
    alert->micros = (uint32_t)(now[1] / 1000);
    alert->pid = (uint32_t)KERNEL(getpid);
    alert->folded = __atomic_exchange_n(folded, 0, __ATOMIC_RELAXED);
    alert->object = caller_object(call, scratch);
    uint32_t len = alert_write(alert, scratch->line);
    /* What the program left unfinished on the log's last line must not swallow the alert. */
    char *line = scratch->line - 1;
    line[0] = '\n';
    if (!log_write(sealed.log, line, len + 1))
        __atomic_fetch_add(folded, alert->folded + 1, __ATOMIC_RELAXED);
    scratch_give(scratch);
}

/* Room for one alert, or it is counted. */
static struct scratch *begin_alert(uint64_t *now)
{
    KERNEL(clock_gettime, 0 /* CLOCK_REALTIME */, now);
    struct scratch *scratch = within_rate(now[0]) ? scratch_take() : NULL;
    if (!scratch)
        __atomic_fetch_add(&storm_of_process()->folded, 1, __ATOMIC_RELAXED);
    return scratch;
}

static void write_alert(const struct call *call, struct verdict verdict, const struct facts *facts)
{
    uint64_t now[2] = {0, 0};
    struct scratch *scratch = begin_alert(now);
    if (!scratch)
        return;
    struct alert alert = {
        .policy = verdict.policy,
        .mode = verdict.action == ACTION_DENY ? MODE_BLOCK : MODE_ALERT,
        .host = facts->host,
        .ip = facts->to.ip,
        .port = facts->to.port,
        .protocol = facts->protocol,
        .sni = facts->sni,
        .path = facts->path,
        .syscall = syscall_name(call->nr),
        .allow = facts->allow,
    };
    if (facts->arguments && !sealed.policy.hide_arguments)
        take_arguments(&alert, facts->arguments, scratch->other, sizeof scratch->other);
    send_alert(&alert, call, now, scratch);
}

void report_itself(enum mode mode, struct text what, struct text why)
{
    uint64_t now[2] = {0, 0};
    struct scratch *scratch = begin_alert(now);
    if (!scratch)
        return;
    struct alert alert = {
        .policy = SELF_PROTECTION, .mode = mode, .syscall = what, .argument_count = 1, .arguments = {why}};
    struct call call = {.nr = -1, .stack = (uint64_t)__builtin_frame_address(0)};
    send_alert(&alert, &call, now, scratch);
}

bool refuses(const struct call *call, struct verdict verdict, const struct facts *facts)
{
    if (verdict.action == ACTION_ALLOW)
        return false;
    write_alert(call, verdict, facts);
    return verdict.action == ACTION_DENY;
}

static bool unlisted_refused(const struct call *call, enum policy_id id, enum reason reason, struct text path)
{
    struct facts facts = {.path = path};
    return refuses(call, verdict_unlisted(&sealed.policy, id, reason), &facts);
}

bool self_protection_refused(const struct call *call, struct text path)
{
    return unlisted_refused(call, SELF_PROTECTION, REASON_SELF_PROTECTION, path);
}

bool executable_memory_refused(const struct call *call, struct text path)
{
    return unlisted_refused(call, EXECUTABLE_MEMORY, REASON_EXECUTABLE_MEMORY, path);
}

static void put_field(struct writer *w, const char *name, uint64_t value)
{
    put(w, TEXT(",\""));
    put(w, text_of(name));
    put(w, TEXT("\":"));
    put_number(w, value);
}

static void put_event(struct writer *w, struct text event, struct text level, const uint64_t *now)
{
    put(w, TEXT("{\"function_shield\":true,\"event\":\""));
    put(w, event);
    put(w, TEXT("\",\"timestamp\":\""));
    put_timestamp(w, now[0], (uint32_t)(now[1] / 1000));
    put(w, TEXT("\",\"level\":\""));
    put(w, level);
    put_char(w, '"');
}

/* Out of the way: there is hardly ever one. */
__attribute__((noinline)) static void report_now(struct storm *storm, bool at_end)
{
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, 0, now);
    uint32_t second = (uint32_t)now[0];
    bool storming = __atomic_load_n(&storm->lines, __ATOMIC_RELAXED) >> 16 == now[0];
    if (!at_end && (storming || __atomic_exchange_n(&storm->flushed, second, __ATOMIC_RELAXED) == second))
        return;
    uint32_t folded = __atomic_exchange_n(&storm->folded, 0, __ATOMIC_RELAXED);
    char line[256];
    struct writer w = {line, 0, sizeof line, false};
    put_char(&w, '\n');
    put_event(&w, TEXT("folded"), TEXT("WARN"), now);
    put_field(&w, "folded", folded);
    put_field(&w, "pid", (uint64_t)KERNEL(getpid));
    put(&w, TEXT("}\n"));
    if (folded && !log_write(sealed.log, line, w.used))
        __atomic_fetch_add(&storm->folded, folded, __ATOMIC_RELAXED);
}

void report_folded(bool at_end)
{
    struct storm *storm = storm_of_process();
    if (__atomic_load_n(&storm->folded, __ATOMIC_RELAXED))
        report_now(storm, at_end);
}

void report_unusual(struct text name)
{
    static uint32_t count;
    uint32_t seen = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    if (seen & (seen - 1))
        return;
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, 0, now);
    char line[512];
    struct writer w = {line, 0, sizeof line, false};
    put_char(&w, '\n');
    put_event(&w, TEXT("unusual_names"), TEXT("INFO"), now);
    put_field(&w, "count", seen);
    put(&w, TEXT(",\"host\":\""));
    put_json(&w, name, 256);
    put_char(&w, '"');
    put_field(&w, "pid", (uint64_t)KERNEL(getpid));
    put(&w, TEXT("}\n"));
    log_write(sealed.log, line, w.used);
}

static void put_modes(struct writer *w)
{
    put(w, TEXT(",\"modes\":{"));
    for (uint32_t id = 0; id < SELF_PROTECTION; id++) {
        put(w, id ? TEXT(",\"") : TEXT("\""));
        put(w, policy_name(id));
        put(w, TEXT("\":\""));
        put(w, mode_name(sealed.policy.modes[id]));
        put_char(w, '"');
    }
    put_char(w, '}');
}

void report_start(int32_t descriptor, const struct start_line *line)
{
    char buffer[1024];
    struct writer w = {buffer, 0, sizeof buffer - 1, false};
    uint64_t now[2] = {0, 0};
    KERNEL(clock_gettime, 0, now);
    if (line->apart)
        put_char(&w, '\n');
    put_event(&w, line->event, line->level, now);
    put(&w, TEXT(",\"version\":\"" SHIELD_VERSION "\",\"engine\":\"process\""));
    if (line->has_modes)
        put_modes(&w);
    if (line->armed) {
        put_field(&w, "sites", line->sites);
        put_field(&w, "patched", line->patched);
        put_field(&w, "handler_files", sealed.handler_count);
        put_field(&w, "micros", line->micros);
    }
    if (line->reason.len) {
        put(&w, TEXT(",\"reason\":\""));
        put_json(&w, line->reason, 512);
        put_char(&w, '"');
    }
    put_field(&w, "pid", (uint64_t)KERNEL(getpid));
    put_char(&w, '}');
    buffer[w.used] = '\n';
    if (descriptor >= 0)
        KERNEL(write, descriptor, buffer, w.used + 1);
}
