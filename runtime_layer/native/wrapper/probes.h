/* The probes of a sandbox's abilities. */
#ifndef SHIELD_PROBES_H
#define SHIELD_PROBES_H

#include "probe_runner.h"

#include <stddef.h>

struct probe {
    const char *key; /* stable: people compare doctor's JSON between machines */
    probe_function *run;
    const char *if_works; /* the answer's meaning for the shield */
    const char *if_not;
};

extern const struct probe probes[];
extern const size_t probe_count;

#endif
