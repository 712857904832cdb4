/* The alert line: whatever its fields hold, one line of JSON in UTF-8, at most 4096 bytes. Input: the number of each
 * field, then its bytes and how often they are repeated, so that short inputs reach the limits. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/alert.h"
#include "../../../runtime_layer/native/core/api.h"
#include "json.h"

static char pool[1 << 16];
static uint32_t pool_used;

static struct text take_field(struct input *in)
{
    struct text piece = take_text(in, take_number(in, 1));
    uint64_t times = take_number(in, 1);
    struct text field = {pool + pool_used, 0};
    for (; times-- && sizeof pool - pool_used >= piece.len && field.len < 4096; field.len += piece.len) {
        copy_bytes(pool + pool_used, piece.at, piece.len);
        pool_used += piece.len;
    }
    return field;
}

static void is_one_line(const char *line, size_t n)
{
    CHECK(n > 1 && n <= ALERT_MAX && line[n - 1] == '\n' && !memchr(line, '\n', n - 1));
    CHECK(json_valid(line, n - 1));
}

static void from_struct(struct input *in)
{
    struct alert a = {.seconds = take_number(in, 8), .micros = (uint32_t)take_number(in, 4)};
    char *line = room_take(ALERT_MAX, 1);
    pool_used = 0;
    a.policy = (uint8_t)take_number(in, 1);
    a.mode = (uint8_t)take_number(in, 1);
    a.ip.family = (uint8_t)take_number(in, 1) % 3;
    struct text ip = take_text(in, 16);
    memcpy(a.ip.bytes, ip.at, ip.len);
    a.port = (uint16_t)take_number(in, 2);
    a.pid = (uint32_t)take_number(in, 4);
    a.left_out = (uint32_t)take_number(in, 4);
    a.argument_count = (uint32_t)take_number(in, 1);
    struct line_origin o = {0};
    struct text *fields[] = {&a.host,  &a.protocol, &a.path,    &a.syscall, &a.object,
                             &a.allow, &o.function, &o.version, &o.region,  &o.account};
    for (uint32_t i = 0; i < sizeof fields / sizeof *fields; i++)
        *fields[i] = take_field(in);
    for (uint32_t i = 0; i < ALERT_ARGUMENTS; i++)
        a.arguments[i] = take_field(in);
    a.place.line = (uint32_t)take_number(in, 4);
    a.place.package_count = (uint32_t)take_number(in, 1);
    a.place.function = take_field(in);
    a.place.file = take_field(in);
    for (uint32_t i = 0; i < ALERT_PACKAGES; i++)
        a.place.packages[i] = take_field(in);
    struct writer origin = {.at = room_take(ORIGIN_MAX, 1), .cap = ORIGIN_MAX};
    put_origin(&origin, &o);
    CHECK(!origin.full);
    a.origin = (struct text){origin.at, origin.used};
    if (!a.path.len)
        a.sni = take_field(in);
    is_one_line(line, alert_write(&a, line));
    room_give(origin.at);
    room_give(line);
}

static void from_fields(struct input *in)
{
    char *line = room_take(ALERT_MAX, 1);
    uint8_t *fields = exact_copy(in->at, in->left);
    size_t n = shield_alert_line((const char *)fields, in->left, line, ALERT_MAX);
    if (n)
        is_one_line(line, n);
    if (n)
        CHECK(shield_alert_line((const char *)fields, in->left, line, n / 2) == n / 2 + 1);
    room_give(fields);
    room_give(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    (take_number(&in, 1) % 2 ? from_fields : from_struct)(&in);
    return 0;
}
