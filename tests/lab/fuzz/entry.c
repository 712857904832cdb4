/* One entry, host name or address: its canonical form is a fixed point. Input: what it is (one byte), its text. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/setting_entries.h"
#include "json.h"

enum { ERROR_ROOM = 16384, NAME_ROOM = 254 };

static char error_room[ERROR_ROOM];

static void outbound(struct text t, bool denies)
{
    char room[ENTRY_CANONICAL_MAX], again[ENTRY_CANONICAL_MAX];
    struct writer canonical = {room, 0, sizeof room, false}, second = {again, 0, sizeof again, false};
    struct writer error = {error_room, 0, sizeof error_room, false};
    struct outbound_rule rule, same;
    bool good = entry_outbound(t, denies, &rule, &canonical, &error);
    CHECK(good == !error.used && !error.full && utf8_valid(error_room, error.used));
    if (!good)
        return;
    struct text form = {room, canonical.used};
    CHECK(!canonical.full && rule.entry.at == 0 && rule.entry.len == canonical.used);
    CHECK(rule.name.at + rule.name.len <= canonical.used);
    CHECK(rule.kind == OUTBOUND_NETWORK || rule.name.len);
    CHECK(entry_outbound(form, denies, &same, &second, &error) && !error.used);
    CHECK(text_equal(form, (struct text){again, second.used}));
    CHECK(same.kind == rule.kind && same.port == rule.port && same.prefix == rule.prefix);
    CHECK(same.protocol == rule.protocol && rule.protocol <= ONLY_UDP);
    CHECK(same.name.at == rule.name.at && same.name.len == rule.name.len);
    CHECK(address_equal(&same.network, &rule.network));
}

static void host(struct text t)
{
    char room[NAME_ROOM], again[NAME_ROOM];
    struct writer name = {room, 0, sizeof room, false}, second = {again, 0, sizeof again, false};
    struct address ip;
    if (!hostname_canonical(t, &name))
        return;
    struct text form = {room, name.used};
    CHECK(form.len && form.len <= 253 && !address_parse(form, &ip));
    CHECK(hostname_canonical(form, &second) && text_equal(form, (struct text){again, second.used}));
}

static void address(struct text t)
{
    char room[48], again[48];
    struct writer written = {room, 0, sizeof room, false}, second = {again, 0, sizeof again, false};
    struct address ip, same;
    if (!address_parse(t, &ip))
        return;
    address_write(&ip, &written);
    CHECK(!written.full && address_parse((struct text){room, written.used}, &same));
    CHECK(address_equal(&ip, &same));
    address_write(&same, &second);
    CHECK(second.used == written.used && !memcmp(room, again, second.used));
}

static void bucket(struct text t)
{
    struct writer error = {error_room, 0, sizeof error_room, false};
    bool good = entry_bucket(t, &error);
    CHECK(good == !error.used && !error.full && utf8_valid(error_room, error.used));
    CHECK(!good || (t.len >= 3 && t.len <= 63 && !memchr(t.at, ',', t.len)));
}

static void path(struct text t, bool (*check)(struct text, struct writer *))
{
    struct writer error = {error_room, 0, sizeof error_room, false};
    bool good = check(t, &error);
    CHECK(good == !error.used && !error.full && utf8_valid(error_room, error.used));
    CHECK(!good || t.at[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    uint64_t kind = take_number(&in, 1);
    uint8_t *copy = exact_copy(in.at, in.left);
    struct text t = {(const char *)copy, (uint32_t)in.left};
    switch (kind % 6) {
    case 0: outbound(t, kind / 6 % 2); break;
    case 1: host(t); break;
    case 2: address(t); break;
    case 3: path(t, entry_tmp); break;
    case 5: bucket(t); break;
    default: path(t, entry_path);
    }
    room_give(copy);
    return 0;
}
