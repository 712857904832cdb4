#include "place_texts.h"

#include "../../core/package_roots.h"
#include "../state/sealed_state.h"

static void add_package(struct source_place *place, struct place_texts *texts, struct text package)
{
    package.len = package.len < PLACE_NAME_MAX ? package.len : PLACE_NAME_MAX;
    for (uint32_t i = 0; i < place->package_count; i++)
        if (text_equal(place->packages[i], package))
            return;
    char *room = texts->packages[place->package_count];
    copy_bytes(room, package.at, package.len);
    place->packages[place->package_count++] = (struct text){room, package.len};
}

bool place_add_frame(struct source_place *place, struct place_texts *texts, struct text file)
{
    struct text package = package_of(file, kept_text(sealed->process.task_root));
    bool is_innermost = package.len && !place->package_count;
    if (is_innermost) {
        copy_bytes(texts->file, file.at, file.len);
        place->file = (struct text){texts->file, file.len};
    }
    if (package.len)
        add_package(place, texts, package);
    return is_innermost;
}
