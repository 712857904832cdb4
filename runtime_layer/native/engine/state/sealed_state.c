/* Tests: tests/security/cases/test_safety.py. */
#include "sealed_state.h"

/* The thread that arms writes both, before the gate is in use. Later, under `seal`, a copy replaces each whole (sealed_pages.c),
 * so that a thread sees the old page or the new one. */
struct sealed sealed_block;
uint8_t gate_table[PAGE] __attribute__((aligned(PAGE)));
static struct names learned; /* any thread: learned_addresses.c has its locks */

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
