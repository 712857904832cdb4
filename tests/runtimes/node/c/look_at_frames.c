/* The engine's walk over JavaScript's frames as an add-on, without the engine: whole stacks, at any moment, and over memory that
 * was broken on purpose. */
#define _GNU_SOURCE
#include <node_api.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "../../../../runtime_layer/native/engine/base/user_memory.h"
#include "../../../../runtime_layer/native/engine/report/node_lines.h"

enum { BUFFER = 4096, NAME_ROOM = 1024, OUT = 1 << 16, WORDS = 24, OBJECTS = 12 };

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
    struct node_frames frames;
    struct node_frame frame;
    struct node own;
    char buffer[BUFFER];
    uint32_t count = 0;
    reader_begin(&reader, false);
    const struct node *node = find_node(&reader, buffer, sizeof buffer, &own);
    if (node && node_frames_begin(&frames, &reader, node, (uint64_t)__builtin_frame_address(0)))
        while (node_frames_next(&frames, &frame)) {
            char function[NAME_ROOM], file[NAME_ROOM];
            struct writer f = {function, 0, sizeof function, false}, n = {file, 0, sizeof file, false};
            put_node_function(&frames, &frame, &f);
            put_node_file(&frames, &frame, &n);
            put(w, (struct text){function, f.used});
            put_char(w, '|');
            put(w, (struct text){file, n.used});
            put_char(w, '|');
            put_number(w, node_line(&frames, &frame));
            put_char(w, '\n');
            count++;
        }
    reader_end(&reader);
    return count;
}

static napi_value frames_here(napi_env env, napi_callback_info info)
{
    static _Thread_local char out[OUT];
    struct writer w = {out, 0, sizeof out, false};
    napi_value text;
    (void)info;
    look(&w);
    napi_create_string_utf8(env, out, w.used, &text);
    return text;
}

/* Many looks from where the program is just then, in whichever thread gets the signal. */
static uint32_t looks, frames_seen, without_any;

static void look_now(int32_t number)
{
    char out[1 << 14];
    struct writer w = {out, 0, sizeof out, false};
    (void)number;
    uint32_t count = look(&w);
    __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&frames_seen, count, __ATOMIC_RELAXED);
    __atomic_fetch_add(&without_any, !count, __ATOMIC_RELAXED);
}

/* (microseconds): 0: no more. */
static napi_value look_each(napi_env env, napi_callback_info info)
{
    size_t count = 1;
    napi_value argument;
    uint32_t microseconds = 0;
    napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
    napi_get_value_uint32(env, argument, &microseconds);
    struct sigaction action = {.sa_handler = look_now, .sa_flags = SA_RESTART};
    struct itimerval each = {{0, microseconds}, {0, microseconds}};
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &each, NULL);
    return NULL;
}

static napi_value to_array(napi_env env, const uint64_t *numbers, uint32_t count)
{
    napi_value array, number;
    napi_create_array(env, &array);
    for (uint32_t i = 0; i < count; i++) {
        napi_create_double(env, (double)numbers[i], &number);
        napi_set_element(env, array, i, number);
    }
    return array;
}

static napi_value looks_so_far(napi_env env, napi_callback_info info)
{
    const uint64_t counts[] = {looks, frames_seen, without_any};
    (void)info;
    return to_array(env, counts, 3);
}

/* What the first frames are made of: places whose words the walk reads. */
static uint32_t list_places(uint64_t places[OBJECTS])
{
    struct memory_reader reader;
    struct node_frames f;
    struct node_frame frame;
    struct node own;
    char buffer[BUFFER];
    uint32_t count = 0;
    reader_begin(&reader, false);
    const struct node *node = find_node(&reader, buffer, sizeof buffer, &own);
    if (!node || !node_frames_begin(&f, &reader, node, (uint64_t)__builtin_frame_address(0)))
        return 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t at = f.next;
        if (!node_frames_next(&f, &frame))
            break;
        places[count++] = at - 64;
        places[count++] = frame.shared - 1;
        places[count++] = frame.script - 1;
        places[count++] = frame.bytecode - 1;
        places[count++] = heap_field(&f.heap, frame.shared, f.heap.layout->shared_name) - 1;
        places[count++] = heap_field(&f.heap, frame.bytecode, f.heap.layout->bytecode_positions) - 1;
    }
    reader_end(&reader);
    return count;
}

/* (): how many walks there were over broken memory, and how long the longest took. Nobody else may look at it meanwhile:
 * --single-threaded. */
static napi_value break_memory(napi_env env, napi_callback_info info)
{
    static char out[OUT];
    uint64_t places[OBJECTS], result[2] = {0, 0}, kept;
    uint32_t count = list_places(places);
    (void)info;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t word = 0; word < WORDS; word++) {
            uint64_t at = places[i] + 8 * word;
            const uint64_t values[] = {0,
                                       1,
                                       at,
                                       at + 1,
                                       places[i] + 1,
                                       places[(i + 1) % count] + 1,
                                       0xffffffff00000000,
                                       0x7fffffff00000000,
                                       1ull << 32,
                                       ~0ull,
                                       0x7ffffffff001,
                                       (uint64_t)out,
                                       (uint64_t)__builtin_frame_address(0),
                                       4 << 1};
            if (!read_user(&kept, at, sizeof kept) || !write_user(at, &kept, sizeof kept))
                continue;
            for (uint32_t v = 0; v < sizeof values / sizeof *values; v++) {
                struct writer w = {out, 0, sizeof out, false};
                uint64_t began = processor_nanoseconds();
                *(volatile uint64_t *)at = values[v];
                look(&w);
                *(volatile uint64_t *)at = kept;
                uint64_t took = processor_nanoseconds() - began;
                result[0]++;
                result[1] = took > result[1] ? took : result[1];
            }
        }
    return to_array(env, result, 2);
}

NAPI_MODULE_INIT()
{
    const struct {
        const char *name;
        napi_callback function;
    } all[] = {{"frames", frames_here},
               {"lookEach", look_each},
               {"looksSoFar", looks_so_far},
               {"breakMemory", break_memory}};
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        napi_value function;
        napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].function, NULL, &function);
        napi_set_named_property(env, exports, all[i].name, function);
    }
    return exports;
}
