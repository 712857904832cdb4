/* Policy text: what is accepted means the same when it is written out and read again, and the entry that a refusal
 * proposes permits what was refused. Input: lines, NUL, an event, NUL, its target. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/api.h"
#include "../../../runtime_layer/native/core/setting_table.h"
#include "json.h"

enum { ERROR_ROOM = 16384, OUT = 1 << 18 };

static char out[OUT], again[OUT];
static struct policy first, second, strict;

static bool parse(struct policy *p, struct text lines, struct writer *error)
{
    policy_begin(p);
    return policy_set_lines(p, lines, error) && policy_end(p, error);
}

static void same_meaning(struct text lines)
{
    char error_room[ERROR_ROOM];
    struct writer error = {error_room, 0, sizeof error_room, false};
    uint8_t *copy = exact_copy(lines.at, lines.len);
    CHECK(parse(&second, (struct text){(char *)copy, lines.len}, &error));
    room_give(copy);
    size_t n = shield_policy_lines(&second, again, sizeof again);
    CHECK(n == lines.len && !memcmp(lines.at, again, n));
}

/* The value of "allow" in a decision; empty when it has escapes, which are not undone here. */
static struct text proposed(struct text decision)
{
    static const char key[] = "\"allow\":\"";
    for (uint32_t i = 0; i + sizeof key < decision.len; i++) {
        if (memcmp(decision.at + i, key, sizeof key - 1))
            continue;
        struct text value = {decision.at + i + sizeof key - 1, decision.len - i - (uint32_t)sizeof key - 1};
        for (uint32_t k = 0; k < value.len; k++)
            if (value.at[k] == '\\')
                return TEXT("");
        return value;
    }
    return TEXT("");
}

static bool is_allowed(const char *decision)
{
    return !strncmp(decision, "{\"action\":\"allow\"", 17);
}

/* What an entry cannot say: a blank at its ends, bytes that are no text, three stars in a row, a wildcard for a
 * program. */
static bool can_be_said(struct text event, struct text target, struct text entry)
{
    bool program = text_starts(event, TEXT("exec"));
    for (uint32_t i = 0; i < entry.len; i++) {
        if (program && (entry.at[i] == '*' || entry.at[i] == '?'))
            return false;
        if (i + 2 < entry.len && !memcmp(entry.at + i, "***", 3))
            return false;
    }
    return entry.len && entry.len < 4000 && utf8_valid(target.at, target.len) &&
           text_equal(text_trim(entry), entry);
}

static void proposal_permits(struct text event, struct text target, struct text entry)
{
    static const char *const settings[][2] = {
        {"connect", "SHIELD_ALLOW_OUTBOUND="},          {"udp", "SHIELD_ALLOW_OUTBOUND="},
        {"resolve", "SHIELD_ALLOW_OUTBOUND="},          {"tmp", "SHIELD_ALLOW_TMP="},
        {"tmp-at-start", "SHIELD_ALLOW_TMP="},          {"exec", "SHIELD_ALLOW_CHILD_PROCESS="},
        {"exec-static", "SHIELD_ALLOW_CHILD_PROCESS="}, {"memory", "SHIELD_ALLOW_EXECUTABLE_MEMORY="}};
    char lines[8192], decision[8192 * 2];
    struct writer error = {decision, 0, sizeof decision, false};
    struct writer w = {lines, 0, sizeof lines, false};
    for (uint32_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (text_equal(event, text_of(settings[i][0])))
            put(&w, text_of(settings[i][1]));
    put(&w, entry);
    bool taken = parse(&strict, (struct text){lines, w.used}, &error);
    CHECK(taken);
    CHECK(!shield_decide(&strict, event.at, event.len, target.at, target.len, decision, sizeof decision));
    CHECK(is_allowed(decision));
}

static void decide(struct text rest)
{
    struct text event, target;
    if (!text_next(&rest, 0, &event) || !text_next(&rest, 0, &target))
        return;
    int32_t failed = shield_decide(&first, event.at, event.len, target.at, target.len, out, sizeof out);
    size_t n = strlen(out);
    if (failed) {
        CHECK(utf8_valid(out, n));
        return;
    }
    CHECK(json_valid(out, n));
    CHECK(!shield_decide(&second, event.at, event.len, target.at, target.len, again, sizeof again));
    CHECK(!strcmp(out, again));
    struct text entry = proposed((struct text){out, (uint32_t)n});
    if (can_be_said(event, target, entry))
        proposal_permits(event, target, entry);
    char little[24];
    CHECK(shield_decide(&first, event.at, event.len, target.at, target.len, little, sizeof little));
    CHECK(strlen(little) < sizeof little);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = {(const char *)data, (uint32_t)size}, lines;
    static char error_room[ERROR_ROOM];
    struct writer error = {error_room, 0, sizeof error_room, false};
    char little[16];
    struct writer little_error = {little, 0, sizeof little, false};
    text_next(&rest, 0, &lines);
    uint8_t *copy = exact_copy(lines.at, lines.len);
    lines.at = (const char *)copy;
    bool good = parse(&first, lines, &error);
    CHECK(good == !error.used && !error.full);
    CHECK(utf8_valid(error_room, error.used));
    CHECK(parse(&first, lines, &little_error) == good);
    room_give(copy);
    if (!good)
        return 0;
    size_t n = shield_policy_lines(&first, out, sizeof out);
    CHECK(n <= sizeof out);
    same_meaning((struct text){out, (uint32_t)n});
    CHECK(n <= sizeof little || shield_policy_lines(&first, little, sizeof little) == sizeof little + 1);
    decide(rest);
    return 0;
}
