/* What the timed calls share. */
#ifndef BENCHMARK_CALLS_H
#define BENCHMARK_CALLS_H

#include <stdint.h>

/* Ends the process, saying what failed and errno's text, unless `good`. */
void must(int good, const char *what);
/* Nanoseconds of the monotonic clock. */
uint64_t now(void);

/* network_calls.c: they need the network of network.py. Each returns the nanoseconds of `count` calls. */
uint64_t time_connect_by_name(long count);
uint64_t time_denied_lookup(long count);
uint64_t time_http_bare(long count);

#endif
