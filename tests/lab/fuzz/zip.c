/* Zip archives (jars): nothing is read beyond one, and a name that is found stands in it, in front of the end. Input: how
 * long the name is (one byte), the name, the archive. */
#include "fuzz.h"

#include "../../../runtime_layer/native/core/zip.h"

static bool stands_in(struct text name, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + name.len <= n; i++)
        if (!memcmp(bytes + i, name.at, name.len))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct text name = take_text(&in, take_number(&in, 1));
    uint8_t *archive = exact_copy(in.at, in.left);
    if (zip_holds(archive, in.left, name))
        CHECK(stands_in(name, archive, in.left));
    room_give(archive);
    return 0;
}
