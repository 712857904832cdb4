#include "sealed_state.h"

struct sealed sealed_block;
uint8_t gate_table[PAGE] __attribute__((aligned(PAGE)));
static struct names learned;

struct names *learned_names(void)
{
    return &learned;
}

bool is_resolver_address(const struct endpoint *to)
{
    for (uint32_t i = 0; i < sealed->process.resolver_count; i++)
        if (to->port == sealed->process.resolvers[i].port &&
            address_equal(&to->ip, &sealed->process.resolvers[i].ip))
            return true;
    return false;
}
