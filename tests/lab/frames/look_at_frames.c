/* The engine's walk over Python's frames as a library for the interpreter itself, without the engine: whole stacks, and at any
 * moment. Memory that holds anything is tests/lab/fuzz/frames.c's. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../../runtime_layer/native/engine/report/python_frames.h"

enum { BUFFER = 4096, NAME_ROOM = 1024 };

/* "function|file|kind|line" lines, with 2 for a coroutine, 1 for a generator. Returns how many frames there are. */
static uint32_t look(struct writer *w)
{
    struct memory_reader reader;
    struct python_frames frames;
    struct python_frame frame;
    struct python_search own;
    char buffer[BUFFER], room[NAME_ROOM];
    uint32_t count = 0;
    reader_begin(&reader, true); /* as where there are threads */
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
            put_number(w, frame.is_coroutine + frame.may_await);
            put_char(w, '|');
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
