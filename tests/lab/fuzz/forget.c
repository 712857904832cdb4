/* Parts of the engine with a memory of their own, included whole: what they remember must not pass from one input to
 * the next. */
#include "forget.h"

#include "kernel_fake.h"

#include "../../../runtime_layer/native/engine/network/dns_tcp.c"
#include "../../../runtime_layer/native/engine/base/user_memory.c"
#include "../../../runtime_layer/native/engine/fds/fd_marks.c"

void forget(int32_t descriptors)
{
    memset(streams, 0, sizeof streams);
    memset(scratches, 0, sizeof scratches);
    memset(fd_marks, 0, (size_t)descriptors * sizeof *fd_marks);
    streams_clock = generation = 0;
    is_inexact = false;
    for (uint32_t i = 0; i < SCRATCHES; i++)
        CHECK(!taken[i]); /* each was given back */
}

bool is_scratch(uint64_t address)
{
    return address - (uint64_t)scratches < sizeof scratches;
}
