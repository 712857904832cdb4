/* The core as a shared library; see api.h.
 * Tests: tests/unit/core/test_core.py, tests/lab/fuzz/policy.c, tests/lab/fuzz/alert.c. */
#include "api.h"

#include "alert.h"
#include "object_names.h"
#include "packages.h"
#include "setting_table.h"
#include "verdict.h"

static struct writer writer_to(char *out, size_t cap)
{
    return (struct writer){.at = out, .cap = cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX};
}

static struct text text_from(const char *at, size_t len)
{
    return (struct text){at, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX};
}

static size_t written_length(const struct writer *w)
{
    return w->full ? (size_t)w->cap + 1 : w->used;
}

/* The writer's capacity leaves room for the NUL. */
static void put_terminator(struct writer *w, size_t cap)
{
    if (cap)
        w->at[w->used] = 0;
}

uint32_t shield_api_version(void)
{
    return SHIELD_API_VERSION;
}

size_t shield_policy_size(void)
{
    return sizeof(struct policy);
}

int32_t shield_policy_parse(struct policy *p, const char *lines, size_t len, const char *file,
                            size_t file_len, char *error, size_t error_cap)
{
    struct writer w = writer_to(error, error_cap ? error_cap - 1 : 0);
    bool is_valid;
    policy_begin(p);
    is_valid = policy_set_lines(p, text_from(lines, len), &w);
    policy_next_source(p);
    is_valid = is_valid && policy_set_lines(p, text_from(file, file_len), &w) && policy_end(p, &w);
    put_terminator(&w, error_cap);
    return !is_valid;
}

size_t shield_policy_lines(const struct policy *p, char *out, size_t cap)
{
    struct writer w = writer_to(out, cap);
    policy_write_lines(p, &w);
    return written_length(&w);
}

size_t shield_aws_endpoints(const struct policy *p, char *out, size_t cap)
{
    struct writer w = writer_to(out, cap);
    struct aws_limits limits = verdict_aws_limits(p);
    aws_write_endpoints(&limits, &w);
    return written_length(&w);
}

/* A question, and its decision. */
struct decision {
    const struct policy *policy;
    struct text target;
    struct verdict verdict;
    struct text host; /* canonical, in host_room; empty when an address was given */
    struct endpoint to;
    char host_room[254];
    struct text error; /* why the target is malformed */
};

struct event {
    const char *name;
    bool (*decide)(struct decision *d, const struct event *event);
    uint8_t detail; /* enum protocol, tmp_use or program_kind */
    void (*allow)(const struct decision *d, struct writer *w);
};

static bool refuse_malformed(struct decision *d, struct text why)
{
    d->error = why;
    return false;
}

static bool read_host(struct decision *d, struct text t)
{
    struct writer w = {.at = d->host_room, .cap = sizeof d->host_room};
    if (!hostname_canonical(t, &w))
        return false;
    d->host = (struct text){d->host_room, w.used};
    return true;
}

/* host:port, address:port or [v6]:port */
static bool read_endpoint(struct decision *d)
{
    struct text host, rest = d->target;
    bool bracketed = text_starts(rest, TEXT("["));
    uint32_t port;
    if (bracketed) {
        rest = text_behind(rest, 1);
        text_next(&rest, ']', &host);
        if (!rest.at || !text_starts(rest, TEXT(":")))
            return refuse_malformed(d, TEXT("write [v6]:port"));
        rest = text_behind(rest, 1);
    } else {
        text_next(&rest, ':', &host);
    }
    if (!rest.at || !text_number(rest, 65535, &port))
        return refuse_malformed(
            d, TEXT("write host:port, address:port or [v6]:port; resolve takes a name alone"));
    d->to.port = (uint16_t)port;
    if (address_parse(host, &d->to.ip) || (!bracketed && read_host(d, host)))
        return true;
    return refuse_malformed(d, TEXT("that is neither a host name nor an address"));
}

static bool decide_endpoint(struct decision *d, const struct event *event)
{
    enum protocol protocol = event->detail;
    if (!read_endpoint(d))
        return false;
    /* RFC 6761: resolvers answer it with a loopback address themselves. */
    if (text_equal(d->host, TEXT("localhost")))
        d->to.ip = (struct address){.family = FAMILY_V4, .bytes = {127, 0, 0, 1}};
    if (d->to.ip.family != FAMILY_NONE)
        d->verdict = verdict_endpoint(d->policy, NULL, NULL, &d->to, protocol);
    else
        d->verdict = verdict_host(d->policy, d->host, true, d->to.port, protocol);
    return true;
}

static bool decide_resolve(struct decision *d, const struct event *event)
{
    (void)event;
    if (!read_host(d, d->target))
        return refuse_malformed(d, TEXT("that is not a host name"));
    d->verdict = verdict_name(d->policy, d->host);
    return true;
}

static bool is_plain_path(struct text path)
{
    struct text component;
    if (!text_starts(path, TEXT("/")) || path.len < 2)
        return false;
    path = text_behind(path, 1);
    while (text_next(&path, '/', &component))
        if (!component.len || text_equal(component, TEXT(".")) || text_equal(component, TEXT("..")))
            return false;
    return true;
}

/* At the start with the runtime in front of the path: runtime:path */
static bool decide_tmp(struct decision *d, const struct event *event)
{
    enum language language = LANGUAGE_OTHER;
    if (event->detail == TMP_AT_START) {
        struct text runtime, path = d->target;
        text_next(&path, ':', &runtime);
        if (!path.at)
            return refuse_malformed(d, TEXT("write a runtime and a path: java21:/tmp/hsperfdata_user"));
        d->target = path;
        language = language_from(runtime);
    }
    bool under = text_equal(d->target, TEXT("/tmp")) || text_starts(d->target, TEXT("/tmp/"));
    if (!under || !is_plain_path(d->target))
        return refuse_malformed(d, TEXT("write a path under /tmp without \".\", \"..\" and double slashes"));
    d->verdict = verdict_tmp(d->policy, d->target, language, event->detail);
    return true;
}

static bool decide_exec(struct decision *d, const struct event *event)
{
    if (!is_plain_path(d->target))
        return refuse_malformed(d, TEXT("write an absolute path without \".\", \"..\" and double slashes"));
    d->verdict = verdict_program(d->policy, d->target, -1, event->detail);
    return true;
}

/* The file of the library, or program, that asks for it. */
static bool decide_memory(struct decision *d, const struct event *event)
{
    (void)event;
    d->target = base_name(d->target);
    d->verdict = verdict_executable_memory(d->policy, d->target);
    return true;
}

/* The entry that would permit the target, as the body of a JSON string. */
static void allow_endpoint(const struct decision *d, struct writer *w)
{
    put_outbound_entry(w, d->host, &d->to.ip, d->to.port);
}

static void allow_tmp_path(const struct decision *d, struct writer *w)
{
    struct text piece, rest = d->target, by;
    bool is_first = true;
    /* A comma would end the entry, and ` by ` would name packages: `?`, which matches any character, replaces them. */
    while (text_next(&rest, ',', &piece)) {
        if (!is_first)
            put_char(w, '?');
        is_first = false;
        for (bool more = true; more; piece = by) {
            struct text path = piece;
            more = packages_cut(&path, &by);
            put_json(w, more ? (struct text){piece.at, (uint32_t)(by.at - piece.at) - 4} : piece, UINT32_MAX);
            put_words(w, more ? "?by?" : "");
        }
    }
}

static void allow_program(const struct decision *d, struct writer *w)
{
    struct text path = d->target, by;
    if (text_find(path, ',') < path.len || packages_cut(&path, &by)) /* no entry can name it */
        return;
    if (d->verdict.reason == REASON_STATIC)
        put_words(w, "unshielded:");
    put_json(w, d->target, UINT32_MAX);
}

static void allow_object(const struct decision *d, struct writer *w)
{
    put_object_entry(w, d->target);
}

static const struct event EVENTS[] = {
    {"connect", decide_endpoint, PROTOCOL_TCP, allow_endpoint},
    {"udp", decide_endpoint, PROTOCOL_UDP, allow_endpoint},
    {"resolve", decide_resolve, 0, allow_endpoint},
    {"tmp", decide_tmp, TMP_AT_WORK, allow_tmp_path},
    {"tmp-at-start", decide_tmp, TMP_AT_START, allow_tmp_path},
    {"exec", decide_exec, PROGRAM_DYNAMIC, allow_program},
    {"exec-static", decide_exec, PROGRAM_STATIC, allow_program},
    {"memory", decide_memory, 0, allow_object},
};
enum { EVENT_COUNT = sizeof EVENTS / sizeof EVENTS[0] };

/* The entry of the policy that admitted or denied the target. */
static void put_deciding_entry(const struct decision *d, struct writer *w)
{
    const struct policy *p = d->policy;
    uint16_t rule = d->verdict.rule;
    if (d->verdict.reason == REASON_DENIED)
        put_json(w, policy_text(p, p->denied[rule].entry), UINT32_MAX);
    if (d->verdict.reason != REASON_LISTED)
        return;
    if (d->verdict.policy == OUTBOUND_CONNECTIVITY && rule < p->outbound_count)
        put_json(w, policy_text(p, p->outbound[rule].entry), UINT32_MAX);
    else if (d->verdict.policy == READ_WRITE_TMP && rule < p->tmp_count)
        put_json(w, policy_text(p, p->tmp[rule]), UINT32_MAX);
    else if (d->verdict.policy == CREATE_CHILD_PROCESS && rule < p->child_count) {
        if (p->child[rule].unshielded)
            put_words(w, "unshielded:");
        put_json(w, policy_text(p, p->child[rule].path), UINT32_MAX);
    } else if (d->verdict.policy == EXECUTABLE_MEMORY && rule < p->memory_count)
        put_json(w, policy_text(p, p->memory[rule]), UINT32_MAX);
}

static void put_decision(const struct decision *d, const struct event *event, struct writer *w)
{
    static const char *const actions[] = {
        [ACTION_DENY] = "deny", [ACTION_ALERT] = "alert", [ACTION_ALLOW] = "allow"};
    put_words(w, "{\"action\":");
    put_json_string(w, text_of(actions[d->verdict.action]));
    put_words(w, ",\"policy\":");
    put_json_string(w, policy_name((enum policy_id)d->verdict.policy));
    put_words(w, ",\"mode\":");
    bool is_denied = d->verdict.reason == REASON_DENIED;
    put_json_string(w, mode_name(is_denied ? MODE_BLOCK : d->policy->modes[d->verdict.policy]));
    put_words(w, ",\"reason\":");
    put_json_string(w, reason_name(d->verdict.reason));
    put_words(w, ",\"entry\":\"");
    put_deciding_entry(d, w);
    put_words(w, "\",\"allow\":\"");
    if (d->verdict.action != ACTION_ALLOW && !is_denied)
        event->allow(d, w);
    put_words(w, "\"}");
}

static void put_unknown_event(struct writer *w, struct text name)
{
    put_json_string(w, name);
    put_words(w, " is not an event; use ");
    for (uint32_t i = 0; i < EVENT_COUNT; i++) {
        if (i)
            put_words(w, i + 1 < EVENT_COUNT ? ", " : " or ");
        put_words(w, EVENTS[i].name);
    }
}

int32_t shield_decide(const struct policy *p, const char *event, size_t event_len, const char *target,
                      size_t target_len, char *out, size_t cap)
{
    struct writer w = writer_to(out, cap ? cap - 1 : 0);
    struct text name = text_from(event, event_len);
    struct decision d = {.policy = p, .target = text_from(target, target_len)};
    const struct event *found = NULL;
    for (uint32_t i = 0; i < EVENT_COUNT; i++)
        if (text_equal(name, text_of(EVENTS[i].name)))
            found = &EVENTS[i];
    if (!found) {
        put_unknown_event(&w, name);
    } else if (found->decide(&d, found)) {
        put_decision(&d, found, &w);
        put_terminator(&w, cap);
        return w.full;
    } else {
        put_json_string(&w, d.target);
        put_words(&w, " cannot be judged for ");
        put(&w, name);
        put_words(&w, "; ");
        put(&w, d.error);
    }
    put_terminator(&w, cap);
    return 1;
}

/* An alert, and the parts of its origin. */
struct stated {
    struct alert alert;
    struct line_origin origin;
};

/* A text or a number goes to its place; another field has a function. A repeated one fills the next place. */
struct field {
    const char *name;
    uint16_t at;
    enum { A_TEXT, A_NUMBER, A_REPEATED, A_FUNCTION } kind;
    uint16_t count; /* A_REPEATED: the place of the number of texts */
    uint16_t max;
    bool (*take)(struct stated *s, struct text value);
};

static bool take_policy(struct stated *s, struct text value)
{
    for (s->alert.policy = 0; s->alert.policy < POLICY_COUNT; s->alert.policy++)
        if (text_equal(value, policy_name((enum policy_id)s->alert.policy)))
            return true;
    return false;
}

static bool take_mode(struct stated *s, struct text value)
{
    return mode_from(value, &s->alert.mode);
}

static bool take_ip(struct stated *s, struct text value)
{
    return address_parse(value, &s->alert.ip);
}

static bool take_port(struct stated *s, struct text value)
{
    uint32_t port = 0;
    bool is_port = text_number(value, 65535, &port);
    s->alert.port = (uint16_t)port;
    return is_port;
}

/* The alert itself, and the alerts left out before it. */
static bool take_count(struct stated *s, struct text value)
{
    uint32_t count = 0;
    bool is_count = text_number(value, UINT32_MAX, &count);
    s->alert.left_out = count - 1;
    return is_count && count;
}

/* Up to twelve digits, which text_number has no room for. */
static bool take_seconds(struct stated *s, struct text value)
{
    bool is_number = value.len && value.len <= 12;
    s->alert.seconds = 0;
    for (uint32_t i = 0; i < value.len && is_number; i++) {
        is_number = is_digit(value.at[i]);
        s->alert.seconds = s->alert.seconds * 10 + (uint64_t)(value.at[i] - '0');
    }
    return is_number;
}

#define AT(member) offsetof(struct stated, member)
#define FIELD(name, kind, member) {name, AT(member), kind, 0, 0, NULL}
#define FUNCTION(name, take) {name, 0, A_FUNCTION, 0, 0, take}
static const struct field FIELDS[] = {
    FIELD("function", A_TEXT, origin.function),
    FIELD("version", A_TEXT, origin.version),
    FIELD("region", A_TEXT, origin.region),
    FIELD("account", A_TEXT, origin.account),
    FUNCTION("policy", take_policy),
    FUNCTION("mode", take_mode),
    FUNCTION("count", take_count),
    FIELD("host", A_TEXT, alert.host),
    FUNCTION("ip", take_ip),
    FUNCTION("port", take_port),
    FIELD("path", A_TEXT, alert.path),
    FIELD("protocol", A_TEXT, alert.protocol),
    FIELD("sni", A_TEXT, alert.sni),
    FIELD("syscall", A_TEXT, alert.syscall),
    {"argument", AT(alert.arguments), A_REPEATED, AT(alert.argument_count), ALERT_ARGUMENTS, NULL},
    FIELD("object", A_TEXT, alert.object),
    FIELD("pid", A_NUMBER, alert.pid),
    FIELD("allow", A_TEXT, alert.allow),
    FUNCTION("seconds", take_seconds),
    FIELD("micros", A_NUMBER, alert.micros),
    FIELD("code", A_TEXT, alert.place.function),
    FIELD("file", A_TEXT, alert.place.file),
    FIELD("line", A_NUMBER, alert.place.line),
    {"package", AT(alert.place.packages), A_REPEATED, AT(alert.place.package_count), ALERT_PACKAGES, NULL},
    FIELD("trace", A_TEXT, alert.trace),
    FIELD("reason", A_TEXT, alert.reason),
};

static bool take_value(struct stated *s, const struct field *f, struct text value)
{
    void *at = (char *)s + f->at;
    uint32_t *count = (uint32_t *)((char *)s + f->count);
    switch (f->kind) {
    case A_TEXT: *(struct text *)at = value; return true;
    case A_NUMBER: return text_number(value, UINT32_MAX, at);
    case A_REPEATED:
        if (*count < f->max)
            ((struct text *)at)[(*count)++] = value;
        return true;
    default: return f->take(s, value);
    }
}

static bool take_field(struct stated *s, struct text value)
{
    struct text name;
    text_next(&value, '=', &name);
    for (uint32_t i = 0; value.at && i < sizeof FIELDS / sizeof FIELDS[0]; i++)
        if (text_equal(name, text_of(FIELDS[i].name)))
            return take_value(s, &FIELDS[i], value);
    return false;
}

size_t shield_alert_line(const char *fields, size_t len, char *out, size_t cap)
{
    struct stated s = {0};
    char origin[ORIGIN_MAX];
    struct writer w = writer_to(out, cap), made = {origin, 0, sizeof origin, false};
    struct text rest = text_from(fields, len), field;
    while (text_next(&rest, 0, &field))
        if (!take_field(&s, field))
            return 0;
    put_origin(&made, &s.origin);
    s.alert.origin = (struct text){origin, made.used};
    alert_put(&s.alert, &w);
    return written_length(&w);
}
