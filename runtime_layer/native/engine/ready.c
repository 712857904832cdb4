#include "ready.h"

#include "guarded.h"
#include "judges.h"
#include "network.h"
#include "state.h"

bool is_ready(void)
{
    return __atomic_load_n(&gate_table[GATE_READY], __ATOMIC_ACQUIRE);
}

void become_ready(void)
{
    static uint32_t
        claimed; /* one thread opens the page: another that sealed it in between would be a crash */
    if (is_ready() || __atomic_exchange_n(&claimed, 1, __ATOMIC_ACQ_REL))
        return;
    if (is_error(KERNEL(mprotect, gate_table, PAGE, PROT_READ | PROT_WRITE)))
        return;
    __atomic_store_n(&gate_table[GATE_READY], 1, __ATOMIC_RELEASE);
    unguard_start_calls();
    KERNEL(mprotect, gate_table, PAGE, PROT_READ);
}

static bool asks_for_work(struct text line)
{
    return text_starts(line, TEXT("GET /2018-06-01/runtime/invocation/next")) ||
           text_starts(line, TEXT("GET /2018-06-01/runtime/restore/next"));
}

void watch_for_ready(uint64_t pointer, uint64_t len)
{
    char line[READY_LINE];
    if (is_ready() || len < sizeof line || !read_user(line, pointer, sizeof line))
        return;
    if (asks_for_work((struct text){line, sizeof line}))
        become_ready();
}

void watch_for_ready_vectors(uint64_t vectors, uint64_t count)
{
    struct vector first;
    if (!is_ready() && count && read_user(&first, vectors, sizeof first))
        watch_for_ready(first.base, first.len);
}
