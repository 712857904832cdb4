/* The engine's walk over Python's frames as a library for the interpreter itself, without the engine: whole stacks, at any
 * moment, and over memory that was broken on purpose. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../../../runtime_layer/native/engine/report/python_frames.h"

enum { BUFFER = 4096, NAME_ROOM = 1024 };

static bool is_shared = true; /* as where there are threads */

void look_as_shared(int32_t shared)
{
    is_shared = shared;
}

static uint64_t processor_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* "function|file|line" lines. Returns how many frames there are. */
static uint32_t look(struct writer *w)
{
    struct memory_reader reader;
    struct python_frames frames;
    struct python_frame frame;
    struct python_search own;
    char buffer[BUFFER], room[NAME_ROOM];
    uint32_t count = 0;
    reader_begin(&reader, is_shared);
    const struct python *python = find_python(&reader, buffer, sizeof buffer, &own);
    if (python && python_frames_begin(&frames, &reader, python, (uint64_t)__builtin_frame_address(0), false))
        while (python_frames_next(&frames, &frame)) {
            const uint64_t strs[] = {frame.function, frame.file};
            for (uint32_t i = 0; i < 2; i++) {
                struct writer name = {room, 0, sizeof room, false};
                put_python_str(&frames, strs[i], &name);
                put(w, (struct text){room, name.used});
                put_char(w, '|');
            }
            put_number(w, python_line(&frames, &frame));
            put_char(w, '\n');
            count++;
        }
    reader_end(&reader);
    return count;
}

uint32_t frames_here(char *out, uint32_t cap)
{
    struct writer w = {out, 0, cap - 1, false};
    uint32_t count = look(&w);
    out[w.used] = 0;
    return count;
}

/* What it looks at first: the frame; 0: none. Where things lie is told by number (python_layout.h). */
uint64_t frame_here(void)
{
    struct memory_reader reader;
    struct python_frames frames = {0};
    struct python_search own;
    char buffer[BUFFER];
    reader_begin(&reader, is_shared);
    const struct python *python = find_python(&reader, buffer, sizeof buffer, &own);
    if (python)
        python_frames_begin(&frames, &reader, python, (uint64_t)__builtin_frame_address(0), false);
    reader_end(&reader);
    return frames.next;
}

static const struct python *python_here(struct python_search *own)
{
    struct memory_reader reader;
    char buffer[BUFFER];
    reader_begin(&reader, false);
    return find_python(&reader, buffer, sizeof buffer, own);
}

uint64_t runtime_here(void)
{
    struct python_search own;
    const struct python *python = python_here(&own);
    return python ? python->runtime : 0;
}

uint32_t offset_here(uint32_t field)
{
    struct python_search own;
    const struct python *python = python_here(&own);
    return python && field < PYTHON_FIELD_COUNT ? python->layout.offset[field] : NO_OFFSET;
}

/* How long it looks, in processor time, while other bytes lie at `place`. */
uint64_t nanoseconds_with(uint64_t place, uint64_t value)
{
    volatile uint64_t *at = (volatile uint64_t *)place;
    char out[1 << 16];
    uint64_t kept = *at, began = processor_nanoseconds();
    *at = value;
    frames_here(out, sizeof out);
    *at = kept;
    return processor_nanoseconds() - began;
}

/* Many looks from where the program is just then, in whichever thread gets the signal. */
static uint32_t looks, frames_seen, without_any;

static void look_now(int32_t number)
{
    char out[1 << 14];
    (void)number;
    uint32_t count = frames_here(out, sizeof out);
    __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&frames_seen, count, __ATOMIC_RELAXED);
    __atomic_fetch_add(&without_any, !count, __ATOMIC_RELAXED);
}

/* 0: no more. */
void look_each(uint32_t microseconds)
{
    struct sigaction action = {.sa_handler = look_now, .sa_flags = SA_RESTART};
    struct itimerval each = {{0, microseconds}, {0, microseconds}};
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &each, NULL);
}

uint32_t looks_so_far(uint32_t what)
{
    const uint32_t counts[] = {looks, frames_seen, without_any};
    return what < 3 ? counts[what] : 0;
}
