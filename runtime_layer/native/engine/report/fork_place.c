#include "fork_place.h"

#include "../../core/runtime_profile.h"
#include "../base/thread_local.h"
#include "../state/sealed_state.h"
#include "node_caller.h"

/* By the thread that forks: it is the one that runs in the copy, by the same thread pointer. Where more threads fork at once than
 * there are notes, some copy finds none. */
struct note {
    uint64_t thread; /* NOBODY, BEING_WRITTEN */
    struct source_place place;
    struct place_texts texts;
};
enum { NOTES = 4, NOBODY = 0, BEING_WRITTEN = 1 };
static struct note notes[NOTES];
static uint32_t next_note;

static struct note *note_of(uint64_t thread)
{
    for (uint32_t i = 0; i < NOTES; i++)
        if (__atomic_load_n(&notes[i].thread, __ATOMIC_ACQUIRE) == thread)
            return &notes[i];
    return NULL;
}

static bool may_be_alerted(void)
{
    const uint8_t *modes = sealed.policy.modes;
    return modes[CREATE_CHILD_PROCESS] != MODE_ALLOW || modes[READ_WRITE_TMP] != MODE_ALLOW ||
           modes[READ_HANDLER] != MODE_ALLOW;
}

/* To be written by this thread alone: its own, else another's. */
static struct note *take_note(uint64_t thread)
{
    struct note *own = note_of(thread);
    if (own && __atomic_compare_exchange_n(&own->thread, &thread, BEING_WRITTEN, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED))
        return own;
    for (uint32_t i = 0; i < NOTES; i++) {
        struct note *note = &notes[__atomic_fetch_add(&next_note, 1, __ATOMIC_RELAXED) % NOTES];
        uint64_t owner = __atomic_load_n(&note->thread, __ATOMIC_RELAXED);
        if (owner != BEING_WRITTEN && __atomic_compare_exchange_n(&note->thread, &owner, BEING_WRITTEN, false,
                                                                  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return note;
    }
    return NULL;
}

void note_fork_place(const struct call *call)
{
    if (sealed.language != LANGUAGE_NODE || !may_be_alerted())
        return;
    uint64_t thread = thread_pointer();
    struct note *note = take_note(thread);
    struct scratch *scratch = note ? scratch_take() : NULL;
    if (scratch) {
        note->place = node_caller(call, &note->texts, scratch);
        scratch_give(scratch);
    }
    if (note) /* what it said of an earlier fork is not of this one */
        __atomic_store_n(&note->thread, scratch ? thread : NOBODY, __ATOMIC_RELEASE);
}

struct source_place fork_place(void)
{
    const struct note *note = note_of(thread_pointer());
    return note ? note->place : (struct source_place){.package_count = 0};
}
