/* What a parent says of libc's sites: text that is malformed is refused, and what is read can be written and read
 * again. Input: the text; the object asked for is 1.2.3.4.5. */
#include "fuzz.h"

#include "../../../runtime_layer/native/engine/sites/site_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct object_key key = {1, 2, 3, 4, 5};
    static char written[1 << 20];
    uint8_t *copy = exact_copy(data, size);
    struct site *sites = room_take(KNOWN_MAX * sizeof *sites, 8),
                *again = room_take(KNOWN_MAX * sizeof *sites, 8);
    int32_t count = known_sites_read((struct text){(char *)copy, (uint32_t)size}, &key, sites);
    room_give(copy);
    CHECK(count == -1 || (count > 0 && count <= KNOWN_MAX));
    uint64_t last = key.offset;
    for (int32_t i = 0; i < count; i++) {
        CHECK(sites[i].offset >= last && sites[i].kind == SITE_PATCHABLE && sites[i].number == -1);
        uint32_t moved = sites[i].window + sites[i].behind;
        CHECK(moved && moved <= WINDOW_MAX && sites[i].behind != 1);
        last = sites[i].offset;
    }
    if (count > 0) {
        struct writer w = {written, 0, sizeof written, false};
        known_sites_write(&w, &key, sites, (uint32_t)count);
        CHECK(!w.full && known_sites_read((struct text){written, w.used}, &key, again) == count);
        for (int32_t i = 0; i < count; i++)
            CHECK(sites[i].offset == again[i].offset && sites[i].window == again[i].window &&
                  sites[i].behind == again[i].behind);
    }
    room_give(sites);
    room_give(again);
    return 0;
}
