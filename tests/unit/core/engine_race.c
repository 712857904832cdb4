/* Threads in the engine's shared memory at once: no protected range is lost, no note of Node.js code is mixed with another, and no
 * violation counts as reported that was not. Exit status 0: so it was. */
#include "../../../runtime_layer/native/engine/base/protected_ranges.h"
#include "../../../runtime_layer/native/engine/report/node_notes.h"
#include "../../../runtime_layer/native/engine/report/left_out.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#ifndef ROUNDS
#define ROUNDS 100000
#endif

uint8_t next_event_watched; /* of process_state.c, which needs an armed process */
enum { THREADS = 4, RANGES_EACH = 400, FIRST = 1000 };

static struct process process;
static pthread_barrier_t all_there;
static uint32_t lost, mixed, unreported, found, seen;

static void count_if(bool condition, uint32_t *counter)
{
    if (condition)
        __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* The ranges of a thread, apart from each other. */
static uint64_t range_of(uint64_t thread, uint64_t i)
{
    return (1 + thread * RANGES_EACH + i) * 2 * PAGE;
}

static void change_ranges(uint64_t thread)
{
    for (uint64_t i = 0; i < RANGES_EACH; i++)
        protect_range(range_of(thread, i), range_of(thread, i) + PAGE, RANGE_ENGINE, 0);
    for (uint64_t i = 0; i < RANGES_EACH; i++)
        count_if(!overlaps(range_of(thread, i), range_of(thread, i) + 1, RANGE_ENGINE), &lost);
    for (uint64_t i = 0, low = range_of(THREADS + thread, 0); i < ROUNDS / 1000; i++) {
        protect_range(low, low + PAGE, RANGE_TEXT, 0);
        count_if(!overlaps(low, low + 1, RANGE_TEXT) || cuts_text(low, low + PAGE), &lost);
        forget_texts(low, low + PAGE);
        count_if(overlaps(low, low + 1, RANGE_TEXT), &lost);
    }
}

static void write_notes(uint64_t thread)
{
    char bytes[NOTE_MAX], note[256];
    struct text flags;
    for (uint32_t i = 0; i < ROUNDS / 10; i++) {
        int letter = 'a' + (int)(i % 26), count = 1 + (int)(i % 60);
        int len =
            snprintf(note, sizeof note, "s%d\n/var/task/%c.js\t%d\t%c", (int)thread, letter, count, letter);
        memset(note + len, letter, (size_t)count);
        struct call call = {.arg = {NOTES_DESCRIPTOR, (uint64_t)note, (uint64_t)(len + count)}};
        keep_node_note(&call, bytes, &flags);
    }
}

static void read_notes(void)
{
    struct place_texts texts;
    const struct alert alert = {.policy = OUTBOUND_CONNECTIVITY, .protocol = TEXT("dns")};
    for (uint32_t i = 0; i < ROUNDS / 10; i++) {
        struct source_place place = find_node_place(&alert, &texts);
        struct text file = base_name(place.file);
        count_if(file.len, &found);
        bool is_whole = !file.len || (place.function.len == 1 + (uint32_t)place.line);
        for (uint32_t k = 0; file.len && k < place.function.len; k++)
            is_whole &= place.function.at[k] == file.at[0];
        count_if(!is_whole, &mixed);
    }
}

/* The target of each second is that second. */
static void record_lines(uint64_t thread)
{
    for (uint32_t second = FIRST; second < FIRST + ROUNDS; second++)
        record_reported(&(struct reported){second, second, second}, OUTBOUND_CONNECTIVITY, (uint32_t)thread);
}

static void search_lines(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t second =
            __atomic_load_n(&process.storm.reported[OUTBOUND_CONNECTIVITY][i % 2].second, __ATOMIC_RELAXED);
        struct reported other = {second, second + 1, 0}, same = {second, second, second};
        count_if(second && is_reported(&other, OUTBOUND_CONNECTIVITY, 2), &unreported);
        count_if(is_reported(&same, OUTBOUND_CONNECTIVITY, 2), &seen);
    }
}

static void *run(void *number)
{
    uint64_t thread = (uint64_t)number;
    pthread_barrier_wait(&all_there);
    change_ranges(thread);
    pthread_barrier_wait(&all_there);
    if (thread < 2)
        write_notes(thread);
    else
        read_notes();
    pthread_barrier_wait(&all_there);
    if (thread < 2)
        record_lines(thread);
    else
        search_lines();
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    sealed_block.process.own = &process;
    sealed_block.policy.node_callers = CALLERS_ON;
    sealed_block.process.task_root = 1;
    strcpy(sealed_block.process.texts.pool + 1, "/var/task");
    write_notes(0); /* so that there is one */
    pthread_barrier_init(&all_there, NULL, THREADS);
    for (uint64_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)i))
            return 2;
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("lost %u, mixed %u, unreported %u, found %u, seen %u\n", lost, mixed, unreported, found, seen);
    return lost || mixed || unreported || !found || !seen;
}
