#include "readiness.h"

#include "../base/handlers.h"
#include "../base/iovec.h"
#include "../base/linux_abi.h"
#include "../base/user_memory.h"
#include "../state/sealed_state.h"
#include "alerts.h"
#include "left_out.h"

static bool asks_for_work(struct text line)
{
    return text_starts(line, TEXT("GET /2018-06-01/runtime/invocation/next")) ||
           text_starts(line, TEXT("GET /2018-06-01/runtime/restore/next"));
}

static bool nothing_to_see(void)
{
    return is_ready() && !what_is_left_out();
}

void watch_for_ready(uint64_t pointer, uint64_t len)
{
    char line[READY_LINE];
    if (nothing_to_see() || len < sizeof line || !read_user(line, pointer, sizeof line))
        return;
    if (!asks_for_work((struct text){line, sizeof line}))
        return;
    if (!is_ready())
        become_ready();
    report_folded(AT_NEXT_EVENT);
}

void watch_for_ready_vectors(uint64_t vectors, uint64_t count)
{
    struct vector first = {0, 0}; /* that holds anything */
    if (nothing_to_see())
        return;
    for (uint64_t end = vectors + (count < UIO_MAXIOV ? count : UIO_MAXIOV) * sizeof first;
         !first.len && vectors != end && read_user(&first, vectors, sizeof first); vectors += sizeof first)
        ;
    watch_for_ready(first.base, first.len);
}
