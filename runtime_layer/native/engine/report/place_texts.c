/* Tests: tests/integration/engine/test_packages.py. */
#include "place_texts.h"

#include "../../core/package_roots.h"
#include "../../core/packages.h"
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

/* Whether the file starts a thread or runs an event loop: frames outside of it did not make the call. */
static bool is_beginning(struct text file)
{
    static const char *const files[] = {"/threading.py", "/asyncio/events.py", "/asyncio/runners.py",
                                        "/trio/_core/_run.py"};
    for (uint32_t i = 0; i < sizeof files / sizeof *files; i++)
        if (text_ends(file, text_of(files[i])))
            return true;
    return false;
}

/* Whether it is the file or the folder of the handler: `app` of `app.handler`, `src` of `src/app.handler`. */
static bool is_own_code(struct text package)
{
    for (uint32_t i = 0; i < HANDLER_SETTINGS; i++) {
        struct text handler = kept_text(sealed->process.handlers[i]);
        if (text_starts(handler, package) && handler.len > package.len &&
            (handler.at[package.len] == '.' || handler.at[package.len] == '/'))
            return true;
    }
    return false;
}

bool place_add_frame(struct source_place *place, struct place_texts *texts, struct text file)
{
    struct text package = package_of(file, kept_text(sealed->process.task_root));
    bool is_innermost = package.len && !place->package_count;
    if (is_innermost) {
        copy_bytes(texts->file, file.at, file.len);
        place->file = (struct text){texts->file, file.len};
    }
    place->is_cut = place->is_cut || is_beginning(file);
    if (package.len)
        add_package(place, texts, package);
    if (package.len && !place->to_own_code && !place->is_cut && is_own_code(package))
        place->to_own_code = place->package_count;
    place->is_named = package.len && place->wanted.len && packages_name(place->wanted, place);
    return is_innermost;
}
