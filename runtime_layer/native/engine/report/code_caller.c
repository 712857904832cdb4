#include "code_caller.h"

#include "../../core/runtime_profile.h"
#include "../state/process_state.h"
#include "fork_place.h"
#include "node_caller.h"
#include "python_caller.h"

struct source_place code_caller(const struct call *call, struct scratch *scratch)
{
    if (sealed.language != LANGUAGE_NODE)
        return python_caller(call, scratch);
    struct source_place place = node_caller(call, (struct place_texts *)scratch->path, scratch);
    bool is_copy = sealed.process_number != (int32_t)KERNEL(getpid);
    return place.package_count || !is_copy ? place : fork_place();
}
