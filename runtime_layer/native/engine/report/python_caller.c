/* Tests: tests/integration/engine/test_callers.py. */
#include "../state/process_state.h"
#include "caller.h"
#include "place_texts.h"
#include "python_frames.h"

_Static_assert(sizeof(struct place_texts) <= sizeof((struct scratch *)0)->path, "the texts fit");

/* In its own memory, as the stack may be a small one of a signal handler. */
struct python_walk {
    struct memory_reader reader;
    struct python_search own;
    struct python_frames frames;
};
_Static_assert(CALLER_OBJECT_MAX + sizeof(struct python_walk) < sizeof((struct scratch *)0)->link, "it fits");

static struct text text_from(const struct python_frames *f, uint64_t str, char *room, uint32_t cap)
{
    struct writer w = {room, 0, cap, false};
    put_python_str(f, str, &w);
    return (struct text){room, w.used};
}

static void walk_frames(struct source_place *place, struct python_frames *f, struct place_texts *texts)
{
    struct python_frame frame;
    uint64_t seen = 0; /* the previous frame's file, as many frames share one */
    bool is_awaited = false;
    while (!is_place_full(place) && python_frames_next(f, &frame)) {
        /* A coroutine without an awaiting frame belongs to a task, which an event loop in C (uvloop) resumed. */
        place->is_cut = place->is_cut || (is_awaited && !frame.may_await);
        is_awaited = frame.is_coroutine;
        if (frame.file == seen)
            continue;
        seen = frame.file;
        struct text file = text_from(f, frame.file, texts->file_at_hand, sizeof texts->file_at_hand);
        if (place_add_frame(place, texts, file)) {
            place->function = text_from(f, frame.function, texts->function, sizeof texts->function);
            place->line = python_line(f, &frame);
        }
    }
}

struct source_place python_caller(const struct call *call, struct scratch *scratch, struct text wanted)
{
    struct source_place place = {.wanted = wanted};
    struct python_walk *w = (struct python_walk *)(scratch->link + CALLER_OBJECT_MAX);
    reader_begin(&w->reader, !is_single_threaded());
    const struct python *python = find_python(&w->reader, scratch->line, sizeof scratch->line, &w->own);
    bool is_copy = sealed->process.number != (int32_t)KERNEL(getpid);
    if (python && python_frames_begin(&w->frames, &w->reader, python, call->stack, is_copy))
        walk_frames(&place, &w->frames, (struct place_texts *)scratch->path);
    reader_end(&w->reader);
    return place;
}
