#include "node_caller.h"

#include "caller.h"
#include "node_lines.h"

/* Not on the stack, which may be a signal handler's. */
struct work {
    struct memory_reader reader;
    struct node own;
    struct node_frames frames;
};
_Static_assert(CALLER_OBJECT_MAX + sizeof(struct work) < sizeof((struct scratch *)0)->link, "it fits");

static int32_t digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The file of an ES module is a URL, in which some bytes are written as %XX. */
static struct text path_from_url(char *name, uint32_t len)
{
    const struct text scheme = TEXT("file://");
    uint32_t from = scheme.len, used = 0;
    if (!text_starts((struct text){name, len}, scheme))
        return (struct text){name, len};
    while (from < len) {
        int32_t high = len - from > 2 ? digit(name[from + 1]) : -1,
                low = high < 0 ? -1 : digit(name[from + 2]);
        bool is_written = name[from] == '%' && low >= 0;
        name[used++] = is_written ? (char)(high << 4 | low) : name[from];
        from += is_written ? 3 : 1;
    }
    return (struct text){name, used};
}

static struct text file_of(const struct node_frames *f, const struct node_frame *frame,
                           struct place_texts *texts)
{
    struct writer w = {texts->file_at_hand, 0, sizeof texts->file_at_hand, false};
    put_node_file(f, frame, &w);
    return path_from_url(w.at, w.used);
}

static void look_at_frames(struct source_place *place, struct node_frames *f, struct place_texts *texts)
{
    struct node_frame frame;
    uint64_t seen = 0; /* the frame before: many are of one file */
    while (!is_place_full(place) && node_frames_next(f, &frame)) {
        if (frame.script == seen)
            continue;
        seen = frame.script;
        if (place_add_frame(place, texts, file_of(f, &frame, texts))) {
            struct writer w = {texts->function, 0, sizeof texts->function, false};
            put_node_function(f, &frame, &w);
            place->function = (struct text){w.at, w.used};
            place->line = node_line(f, &frame);
        }
    }
}

/* All that is read this thread keeps alive, as it is in a call. */
struct source_place node_caller(const struct call *call, struct place_texts *texts, struct scratch *scratch)
{
    struct source_place place = {.package_count = 0};
    struct work *w = (struct work *)(scratch->link + CALLER_OBJECT_MAX);
    reader_begin(&w->reader, false);
    const struct node *node = find_node(&w->reader, scratch->line, sizeof scratch->line, &w->own);
    if (node && node_frames_begin(&w->frames, &w->reader, node, call->stack))
        look_at_frames(&place, &w->frames, texts);
    reader_end(&w->reader);
    return place;
}
