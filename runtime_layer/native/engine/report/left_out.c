/* Tests: tests/integration/engine/test_left_out.py. */
#include "left_out.h"

#include "../state/process_state.h"

/* A word has two counts, reserved (high half) and unreserved (low half), which are capped. */
static uint32_t reserved_count(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static uint32_t capped_sum(uint32_t a, uint32_t b)
{
    return a + b < a ? UINT32_MAX : a + b;
}

static uint64_t *word_of(uint32_t policy, uint32_t kind)
{
    return &sealed->process.own->storm.left_out[policy][kind];
}

static bool exchange_word(uint64_t *word, uint64_t *seen, uint32_t reserved, uint32_t left)
{
    return __atomic_compare_exchange_n(word, seen, (uint64_t)reserved << 32 | left, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

void clear_left_out_reasons(void)
{
    forget_next_event(OF_ALERTS);
}

void leave_out(uint32_t policy, uint32_t kind, enum left_out how)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    while (!exchange_word(word, &seen, reserved_count(seen), capped_sum((uint32_t)seen, 1)))
        ;
    watch_next_event(how);
}

uint32_t reserve_left_out(uint32_t policy, uint32_t kind, uint32_t own, bool with_left_out)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t count;
    do
        count = capped_sum(with_left_out ? (uint32_t)seen : 0, own);
    while (!exchange_word(word, &seen, capped_sum(reserved_count(seen), count),
                          with_left_out ? 0 : (uint32_t)seen));
    return count;
}

uint32_t reserve_all_left_out(uint32_t policy, uint32_t kind)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t count;
    do
        count = capped_sum((uint32_t)seen, reserved_count(seen));
    while (!exchange_word(word, &seen, count, 0));
    return count;
}

/* A copy that a signal handler forks during a write has no reservation. */
void settle_left_out(uint32_t policy, uint32_t kind, uint32_t count, bool is_written)
{
    uint64_t *word = word_of(policy, kind), seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t left, reserved;
    do {
        reserved = reserved_count(seen) > count ? reserved_count(seen) - count : 0;
        left = capped_sum((uint32_t)seen, is_written ? 0 : count);
    } while (!exchange_word(word, &seen, reserved, left));
    if (!is_written)
        watch_next_event(LEFT_OUT);
}

bool is_any_left_out(uint32_t policy, uint32_t kind)
{
    return (uint32_t)__atomic_load_n(word_of(policy, kind), __ATOMIC_SEQ_CST);
}

/* The bits of all words. */
static uint64_t all_words(void)
{
    uint64_t all = 0;
    for (uint32_t policy = 0; policy < POLICY_COUNT; policy++)
        for (uint32_t kind = 0; kind < LEFT_OUT_KINDS; kind++)
            all |= __atomic_load_n(word_of(policy, kind), __ATOMIC_SEQ_CST);
    return all;
}

bool has_unwritten_counts(void)
{
    return all_words();
}

bool is_any_reserved(void)
{
    return reserved_count(all_words());
}
