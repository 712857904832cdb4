#include "python_caller.h"

#include "../../core/package_roots.h"
#include "../state/process_state.h"
#include "caller.h"
#include "python_frames.h"

enum { FILE_MAX = 1024, NAME_MAX = ALERT_TEXT_MAX };

struct texts {
    char file[FILE_MAX], function[NAME_MAX];
    char packages[ALERT_PACKAGES][NAME_MAX];
    char file_at_hand[FILE_MAX];
};
_Static_assert(sizeof(struct texts) <= sizeof((struct scratch *)0)->path, "the texts fit");

/* Not on the stack, which may be a signal handler's. */
struct work {
    struct memory_reader reader;
    struct python_search own;
    struct python_frames frames;
};
_Static_assert(CALLER_OBJECT_MAX + sizeof(struct work) < sizeof((struct scratch *)0)->link, "it fits");

static struct text text_from(const struct python_frames *f, uint64_t str, char *room, uint32_t cap)
{
    struct writer w = {room, 0, cap, false};
    put_python_str(f, str, &w);
    return (struct text){room, w.used};
}

/* The innermost code of a package: who is named. */
static void name_place(struct source_place *place, const struct python_frames *f,
                       const struct python_frame *frame, struct text file, struct texts *texts)
{
    copy_bytes(texts->file, file.at, file.len);
    place->file = (struct text){texts->file, file.len};
    place->function = text_from(f, frame->function, texts->function, sizeof texts->function);
    place->line = python_line(f, frame);
}

static void add_package(struct source_place *place, struct text package, struct texts *texts)
{
    package.len = package.len < NAME_MAX ? package.len : NAME_MAX;
    for (uint32_t i = 0; i < place->package_count; i++)
        if (text_equal(place->packages[i], package))
            return;
    char *room = texts->packages[place->package_count];
    copy_bytes(room, package.at, package.len);
    place->packages[place->package_count++] = (struct text){room, package.len};
}

static void look_at_frames(struct source_place *place, struct python_frames *f, struct texts *texts)
{
    struct text root = text_of(sealed.environment + sealed.task_root);
    struct python_frame frame;
    uint64_t seen = 0; /* the frame before: many are of one file */
    while (place->package_count < ALERT_PACKAGES && python_frames_next(f, &frame)) {
        if (frame.file == seen)
            continue;
        seen = frame.file;
        struct text file = text_from(f, frame.file, texts->file_at_hand, sizeof texts->file_at_hand);
        struct text package = package_of(file, root);
        if (package.len && !place->package_count)
            name_place(place, f, &frame, file, texts);
        if (package.len)
            add_package(place, package, texts);
    }
}

struct source_place python_caller(const struct call *call, struct scratch *scratch)
{
    struct source_place place = {.package_count = 0};
    struct work *w = (struct work *)(scratch->link + CALLER_OBJECT_MAX);
    reader_begin(&w->reader, !is_single_threaded());
    const struct python *python = find_python(&w->reader, scratch->line, sizeof scratch->line, &w->own);
    bool is_copy = sealed.process_number != (int32_t)KERNEL(getpid);
    if (python && python_frames_begin(&w->frames, &w->reader, python, call->stack, is_copy))
        look_at_frames(&place, &w->frames, (struct texts *)scratch->path);
    reader_end(&w->reader);
    return place;
}
