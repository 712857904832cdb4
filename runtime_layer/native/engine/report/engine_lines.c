/* The engine's own lines: its start, its limits, and the native code that it found. Tests: tests/integration/engine/test_lines.py. */
#include "alerts.h"

#include "../../core/setting_lists.h"
#include "../base/raw_syscall.h"
#include "../state/sealed_state.h"
#include "log_writer.h"

#ifndef SHIELD_VERSION
#error "the build gives SHIELD_VERSION"
#endif

static void put_list(struct writer *w, const char *name, struct text items)
{
    put_words(w, ",\"");
    put_words(w, name);
    put_words(w, "\":[");
    put(w, items);
    put_char(w, ']');
}

void report_native(const struct native_code *found, char room[ALERT_MAX + 1])
{
    struct writer w = {room, 0, ALERT_MAX + 1, false};
    begin_line(&w, TEXT("native"), TEXT("INFO"));
    put_list(&w, "bridges", found->bridges);
    put_list(&w, "objects", found->objects);
    put_field(&w, "count", found->count);
    if (end_line(&w, NULL))
        report_folded(AFTER_A_LINE);
}

static void put_modes(struct writer *w)
{
    put_words(w, ",\"modes\":{");
    for (uint32_t id = 0; id < SELF_PROTECTION; id++) {
        put_words(w, id ? ",\"" : "\"");
        put(w, policy_name(id));
        put_words(w, "\":\"");
        put(w, mode_name(sealed->policy.modes[id]));
        put_char(w, '"');
    }
    put_char(w, '}');
}

/* The services of AWS whose endpoints are admitted, as SHIELD_ALLOW_AWS has them, and the numbers of the only buckets and of
 * listed hosts. Where outbound_connectivity is allow, no list counts, so the line has none of them. */
static void put_aws(struct writer *w)
{
    const struct policy *p = &sealed->policy;
    struct text buckets = policy_text(p, p->buckets);
    uint32_t count = buckets.len ? 1 : 0;
    for (uint32_t i = 0; i < buckets.len; i++)
        count += buckets.at[i] == ',';
    if (p->modes[OUTBOUND_CONNECTIVITY] == MODE_ALLOW)
        return;
    put_words(w, ",\"aws\":\"");
    write_aws(p, NULL, w);
    put_char(w, '"');
    if (count)
        put_field(w, "buckets", count);
    if (p->outbound_count)
        put_field(w, "hosts", p->outbound_count);
}

/* ,"kernel":["file-growth"],"kernel_off":{"programs":"the reason"} */
static void put_kernel_limits(struct writer *w, const struct kernel_limits *limits)
{
    static const char names[][14] = {[GROWTH] = "\"file-growth\"", [PROGRAMS] = "\"programs\""};
    bool is_any_off = false;
    put_words(w, ",\"kernel\":[");
    for (uint32_t i = 0; i < KERNEL_LIMITS; i++)
        if (limits->held & 1u << i) {
            put_words(w, i && limits->held & NO_GROWTH ? "," : "");
            put_words(w, names[i]);
        }
    put_char(w, ']');
    for (uint32_t i = 0; i < KERNEL_LIMITS; i++)
        if (limits->why_not[i][0]) {
            put_words(w, is_any_off ? "," : ",\"kernel_off\":{");
            put_words(w, names[i]);
            put_words(w, ":\"");
            put_json(w, text_of(limits->why_not[i]), LIMIT_REASON);
            put_char(w, '"');
            is_any_off = true;
        }
    put_words(w, is_any_off ? "}" : "");
}

void report_kernel_limits(const struct kernel_limits *limits)
{
    char line[1024];
    struct writer w = {line, 0, sizeof line, false};
    begin_line(&w, TEXT("kernel"), TEXT("INFO"));
    put_kernel_limits(&w, limits);
    end_line(&w, NULL);
}

/* 64 names of services are shorter than 2048 bytes (test_lines.py). */
enum { START_LINE_MAX = 4000 };

void report_start(int32_t descriptor, const struct start_line *line)
{
    char buffer[START_LINE_MAX];
    struct writer w = {buffer, 0, START_LINE_MAX - 1, false};
    uint32_t from = line->apart ? 0 : 1; /* without the newline */
    begin_line(&w, line->event, line->level);
    if (line->failed)
        put_words(&w, ",\"policy\":\"start\",\"severity\":\"critical\",\"count\":1");
    put_words(&w, ",\"shield_version\":\"" SHIELD_VERSION "\",\"engine\":\"process\"");
    if (line->has_modes)
        put_modes(&w);
    if (line->armed) {
        put_aws(&w);
        put_field(&w, "sites", line->sites);
        put_field(&w, "patched", line->patched);
        put_field(&w, "handler_files", sealed->files.handlers.count);
        put_field(&w, "micros", line->micros);
    }
    put_text_member(&w, "tmp_times", line->tmp_times, LINE_WORD);
    if (line->kernel)
        put_kernel_limits(&w, line->kernel);
    put_text_member(&w, "reason", line->reason, 512);
    put_field(&w, "pid", (uint64_t)KERNEL(getpid));
    put_char(&w, '}');
    buffer[w.used++] = '\n';
    if (descriptor >= 0)
        KERNEL(write, descriptor, buffer + from, w.used - from);
}

void report_failure(bool runs, const struct writer *reason)
{
    report_start(2, &(struct start_line){.event = runs ? TEXT("unshielded") : TEXT("refused"),
                                         .level = TEXT("ERROR"),
                                         .failed = true,
                                         .apart = sealed->process.is_late,
                                         .reason = {reason->at, reason->used}});
}
