/* Writes the alert line; see alert.h.
 *
 * Each part has a limit in bytes as written (escapes included), and the limits add up to less than a line, so the line is
 * always whole. The place in the source gets the rest: at least some hundred bytes, mostly some thousand.
 * Tests: tests/unit/core/test_alert.py, tests/lab/fuzz/alert.c. */
#include "alert.h"

enum {
    HOST_LIMIT = 300, /* host, sni */
    WORD_LIMIT = 40,  /* protocol, syscall */
    PATH_LIMIT = 1060,
    TRACE_LIMIT = 40,
    ARGUMENT_LIMIT = 256,
    ARGUMENTS_LIMIT = 1024,
    OBJECT_LIMIT = 200,
    ALLOW_LIMIT = 700,
    FIXED_PARTS = 383,     /* keys, quotes, numbers, timestamp, severity */
    ARGUMENT_OVERHEAD = 6, /* quotes, comma, the sign of a cut */
    LONGEST = FIXED_PARTS + TRACE_LIMIT + ORIGIN_MAX + HOST_LIMIT + 2 * WORD_LIMIT + PATH_LIMIT +
        OBJECT_LIMIT + ALLOW_LIMIT + ARGUMENTS_LIMIT + ALERT_ARGUMENTS * ARGUMENT_OVERHEAD
};
_Static_assert(LONGEST <= ALERT_MAX, "a line fits, whatever it reports");
enum {
    /* ,"function":"","file":"","line":4294967295,"package":"","through":[] */
    PLACE_KEYS = 80,
    PLACE_LEAST = 60 /* less room is not worth writing into */
};
_Static_assert(HOST_LIMIT + 2 * WORD_LIMIT <= PATH_LIMIT, "a server name and a reason take a path's room");
_Static_assert(WORD_LIMIT + 12 <= ALLOW_LIMIT, "a reason takes an entry's room");

enum {
    /* Of the origin: longer than Lambda's own limits. */
    FUNCTION_LIMIT = 80,
    VERSION_LIMIT = 24,
    REGION_LIMIT = 32,
    ACCOUNT_LIMIT = 16,
    ORIGIN_KEYS = 52
};
_Static_assert(ORIGIN_KEYS + FUNCTION_LIMIT + VERSION_LIMIT + REGION_LIMIT + ACCOUNT_LIMIT <= ORIGIN_MAX,
               "an origin fits, whatever it says");

/* Three ASCII dots mark a cut text in any log viewer. */
static void put_cut(struct writer *w, struct text value, uint32_t limit)
{
    if (!put_json(w, value, limit - 3))
        put_words(w, "...");
}

/* A comma before every member except the first of an object. */
static void put_key(struct writer *w, struct text name)
{
    char last = w->used ? w->at[w->used - 1] : '{';
    if (last != '{' && last != '[')
        put_char(w, ',');
    put_char(w, '"');
    put(w, name);
    put_words(w, "\":");
}

static void put_member(struct writer *w, struct text name, struct text value, uint32_t limit)
{
    if (!value.len)
        return;
    put_key(w, name);
    put_char(w, '"');
    put_cut(w, value, limit);
    put_char(w, '"');
}

static void put_number_member(struct writer *w, struct text name, uint64_t value)
{
    if (!value)
        return;
    put_key(w, name);
    put_number(w, value);
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
    return value < limit ? value : limit;
}

/* Cuts each item at `limit` bytes, and the list at `left`, not counting the quotes and comma of its last item. */
static void put_list(struct writer *w, struct text name, const struct text *texts, uint32_t count,
                     uint32_t limit, uint32_t left)
{
    if (!count)
        return;
    put_key(w, name);
    put_char(w, '[');
    for (uint32_t i = 0; i < count && left > 3; i++) {
        uint32_t before = w->used;
        if (i)
            put_char(w, ',');
        put_char(w, '"');
        put_cut(w, texts[i], at_most(left, limit));
        put_char(w, '"');
        left -= at_most(w->used - before, left);
    }
    put_char(w, ']');
}

void alert_put_details(const struct alert *a, struct writer *w)
{
    put_key(w, TEXT("details"));
    put_char(w, '{');
    put_member(w, TEXT("host"), a->host, HOST_LIMIT);
    if (a->ip.family != FAMILY_NONE) {
        put_key(w, TEXT("ip"));
        put_char(w, '"');
        address_write(&a->ip, w);
        put_char(w, '"');
    }
    put_number_member(w, TEXT("port"), a->port);
    put_member(w, TEXT("protocol"), a->protocol, WORD_LIMIT);
    if (!a->path.len) /* it uses the path's room */
        put_member(w, TEXT("sni"), a->sni, HOST_LIMIT);
    put_member(w, TEXT("path"), a->path, PATH_LIMIT);
    put_member(w, TEXT("syscall"), a->syscall, WORD_LIMIT);
    put_list(w, TEXT("arguments"), a->arguments, at_most(a->argument_count, ALERT_ARGUMENTS), ARGUMENT_LIMIT,
             ARGUMENTS_LIMIT);
    put_char(w, '}');
}

/* The pid, the trace and the entry follow. The function and the file get half of the remaining room. */
static void put_place(struct writer *w, const struct alert *a)
{
    enum { BEHIND = 80 + TRACE_LIMIT, ESCAPED = 6 };
    uint32_t entry = a->allow.len < ALLOW_LIMIT / ESCAPED ? a->allow.len * ESCAPED : ALLOW_LIMIT;
    uint32_t taken = w->used + PLACE_KEYS + BEHIND + entry, left = taken < ALERT_MAX ? ALERT_MAX - taken : 0;
    const struct source_place *p = &a->place;
    uint32_t count = at_most(p->package_count, ALERT_PACKAGES);
    if (!count || left < PLACE_LEAST)
        return;
    put_member(w, TEXT("function"), p->function, at_most(left / 6, ALERT_TEXT_MAX));
    put_member(w, TEXT("file"), p->file, at_most(left / 3, ALERT_TEXT_MAX));
    put_number_member(w, TEXT("line"), p->line);
    put_member(w, TEXT("package"), p->packages[0], at_most(left / 6, ALERT_TEXT_MAX));
    put_list(w, TEXT("through"), p->packages, count, at_most(left / 6, ALERT_TEXT_MAX), left / 3);
}

void alert_put_caller(const struct alert *a, struct writer *w)
{
    if (!a->object.len && !a->place.package_count)
        return;
    put_key(w, TEXT("caller"));
    put_char(w, '{');
    put_member(w, TEXT("object"), a->object, OBJECT_LIMIT);
    put_place(w, a);
    put_char(w, '}');
}

/* An entry is written whole or not at all: a cut one would permit another host. */
void alert_put_allow(const struct alert *a, struct writer *w)
{
    struct writer before = *w;
    bool is_final = a->reason.len && a->mode == MODE_BLOCK; /* no entry permits it */
    if (is_final)
        put_member(w, TEXT("reason"), a->reason, WORD_LIMIT);
    if (!a->allow.len || is_final)
        return;
    put_key(w, TEXT("allow"));
    put_char(w, '"');
    if (put_json(w, a->allow, ALLOW_LIMIT))
        put_char(w, '"');
    else if (!w->full)
        *w = before;
}

void put_text_member(struct writer *w, const char *name, struct text value, uint32_t limit)
{
    if (!value.len)
        return;
    put_words(w, ",\"");
    put_words(w, name);
    put_words(w, "\":\"");
    put_cut(w, value, limit);
    put_char(w, '"');
}

void put_origin(struct writer *w, const struct line_origin *o)
{
    put_text_member(w, "function", o->function, FUNCTION_LIMIT);
    put_text_member(w, "version", o->version, VERSION_LIMIT);
    put_text_member(w, "region", o->region, REGION_LIMIT);
    put_text_member(w, "account", o->account, ACCOUNT_LIMIT);
}

void put_line_start(struct writer *w, struct text origin, uint64_t seconds, uint32_t micros,
                    struct text level)
{
    put_words(w, "{\"function_shield\":true,\"v\":1");
    put(w, origin);
    put_words(w, ",\"timestamp\":\"");
    put_timestamp(w, seconds, micros);
    put_char(w, '"');
    put_text_member(w, "level", level, WORD_LIMIT);
}

void alert_put(const struct alert *a, struct writer *w)
{
    enum severity severity = severity_of(a->policy, a->mode, a->blocks, a->path, a->reason);
    put_line_start(w, a->origin, a->seconds, a->micros, severity_level(severity, a->reason));
    put_text_member(w, "policy", policy_name((enum policy_id)a->policy), WORD_LIMIT);
    put_text_member(w, "mode", mode_name(a->mode), WORD_LIMIT);
    put_text_member(w, "severity", severity_name(severity), WORD_LIMIT);
    put_words(w, ",\"count\":");
    put_number(w, (uint64_t)a->left_out + 1);
    if (!a->path.len && a->mode != MODE_BLOCK) /* in the path's room; in block mode it uses the entry's */
        put_member(w, TEXT("reason"), a->reason, WORD_LIMIT);
    alert_put_details(a, w);
    alert_put_caller(a, w);
    put_key(w, TEXT("pid"));
    put_number(w, a->pid);
    put_member(w, TEXT("trace"), a->trace, TRACE_LIMIT);
    alert_put_allow(a, w);
    put_words(w, "}\n");
}

uint32_t alert_write(const struct alert *a, char out[ALERT_MAX])
{
    struct writer w = {.at = out, .cap = ALERT_MAX};
    alert_put(a, &w);
    return w.used;
}

static void put_padded(struct writer *w, uint32_t value, uint32_t digits)
{
    uint32_t unit = 1;
    for (uint32_t i = 1; i < digits; i++)
        unit *= 10;
    for (; unit; unit /= 10)
        put_char(w, (char)('0' + value / unit % 10));
}

/* The civil date of a day count since 1970-01-01, in the proleptic Gregorian calendar. Years begin in March, so that the
 * leap day is a year's last day. An era of 400 years has 146097 days. */
static void civil_date(uint64_t days, uint32_t *year, uint32_t *month, uint32_t *day)
{
    uint64_t since_march_0 = days + 719468;
    uint32_t era_day = (uint32_t)(since_march_0 % 146097);
    uint32_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    uint32_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    uint32_t march_month = (5 * year_day + 2) / 153;
    *day = year_day - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = (uint32_t)(since_march_0 / 146097) * 400 + era_year + (*month <= 2);
}

void put_timestamp(struct writer *w, uint64_t seconds, uint32_t micros)
{
    enum { DAY = 86400 };
    static const uint64_t last = UINT64_C(253402300799); /* 9999-12-31T23:59:59Z: RFC 3339 has four digits */
    uint32_t year, month, day, rest;
    if (seconds > last)
        seconds = last;
    civil_date(seconds / DAY, &year, &month, &day);
    rest = (uint32_t)(seconds % DAY);
    put_padded(w, year, 4);
    put_char(w, '-');
    put_padded(w, month, 2);
    put_char(w, '-');
    put_padded(w, day, 2);
    put_char(w, 'T');
    put_padded(w, rest / 3600, 2);
    put_char(w, ':');
    put_padded(w, rest / 60 % 60, 2);
    put_char(w, ':');
    put_padded(w, rest % 60, 2);
    put_char(w, '.');
    put_padded(w, micros < 1000000 ? micros : 999999, 6);
    put_char(w, 'Z');
}
