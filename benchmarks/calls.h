/* What the timed calls share. */
#ifndef BENCHMARK_CALLS_H
#define BENCHMARK_CALLS_H

#include <netinet/in.h>
#include <stdint.h>

/* The service of network.py and the mounts of mounts.py. */
#define NAME "service.bench.example"
#define LAYER "/opt"
#define TASK "/mnt/task"

/* Ends the process, saying what failed and errno's text, unless `good`. */
void must(int good, const char *what);
/* Nanoseconds of the monotonic clock or, with --cpu, of the processor: this process's and its children's. */
uint64_t now(void);

/* Makes `count` calls; returns the nanoseconds that they took. */
typedef uint64_t timed(long count);

/* The same by so many threads at once, `count` calls in all. */
uint64_t time_in_threads(timed *time, int threads, long count);

/* Makes /bin/true run, and waits for its end. */
void spawn(void);

/* file_calls.c */
timed time_openat_close, time_open_device, time_open_layer, time_open_task, time_open_tmp, time_stat;
timed time_relative_layer, time_relative_task, time_at_layer, time_at_task;
void open_and_close(const char *path);
void keep_open(long descriptors);

/* socket_calls.c */
timed time_connect_tcp, time_connect_udp, time_socket_close, time_dup_close;
/* A socket that is bound to a free port, which `address` gets. It listens, if it can. */
int bound_socket(int type, struct sockaddr_in *address);
/* A new connection there and back, and its end by a reset, so that no port is left waiting. The nanoseconds of connect,
 * and, where the end is `timed_too`, of close. */
uint64_t connect_once(int listener, const struct sockaddr_in *address, int timed_too);

/* network_calls.c: they need the network of network.py. */
timed time_connect_by_name, time_lookup, time_denied_lookup, time_http_bare;
struct sockaddr_in resolve(const char *name, const char *port);
void learn_names(long count);

/* everything.c: needs the network and the mounts. */
timed time_everything;

#endif
