/* Patches sites: puts a jump in front of a system-call instruction, and writes the trampoline that it leads to.
 *
 * The instruction itself stays in place: the kernel restarts an interrupted call at that address, and unwinders and
 * cancellation expect it there. Moving it was measured to break all three. Without room in front of it (musl has such sites,
 * glibc has no guarded one), the jump replaces it: then calls restart in the trampoline, and only unwinding fails.
 */
#ifndef SHIELD_PATCH_H
#define SHIELD_PATCH_H

#include "site_cache.h"
#include "sites.h"

/* Memory for one search, as the gate's stack is too small. A mapping with more sites is not patched. */
enum { SITES_MAX = 16384 };
struct room {
    struct site sites[SITES_MAX];
    uint8_t workspace[WORKSPACE] __attribute__((aligned(16)));
};

/* Sites to patch in one executable mapping, and the result. */
struct patch {
    struct image image;
    uint64_t delta;     /* address in memory = file offset + delta */
    uint64_t low, high; /* the mapping */
    bool shared;        /* other threads may be running it already */
    bool only_checks;   /* only checks that it can be patched */
    bool by_header;     /* sets `high` to the end of the file's code; the rest must not run */
    bool has_code;      /* by its file */
    bool is_waiting;    /* by its file, the loader relocates it first, so it is not patched yet */
    uint32_t sites;
    uint32_t wanted; /* sites that can make a guarded call */
    uint32_t patched;
    uint32_t hard; /* wanted, but nothing fits in front */
    struct site first_hard;
    bool is_go;            /* Go code, in which nothing can be patched */
    struct writer *record; /* gets the sites, for children; NULL: none */
    struct object_key key;
    struct room *room; /* NULL: new memory */
};

/* Finds and patches all sites in one executable mapping of an open file of `size` that can make a guarded call. False when a
 * site stays unpatched: the mapping must not run. */
bool patch_file_mapping(int32_t file, uint64_t size, struct patch *patch);
/* The same for known sites, without an image. */
bool patch_known_sites(struct patch *patch, const struct site *sites, uint32_t count);

/* A trampoline fits one cache line, as it is mostly not in the cache. */
enum { TRAMPOLINE = 64 };
/* Writes the trampoline of the site at `address` to `at`: the instructions of the window, a call of the gate through `slot`,
 * and the jump back. Returns its length; 0: the window cannot move there. (Per architecture.) */
uint32_t trampoline_write(uint8_t *at, uint64_t address, const struct site *site, uint64_t slot);
/* Writes the jump from the window's first byte to the trampoline. Returns its length; 0: out of reach. */
enum { JUMP_MAX = 5 };
uint32_t encode_jump(uint8_t *out, uint64_t from, uint32_t window, uint64_t to);
/* Writes a jump to itself, in which arriving threads wait. It is no longer than the first instruction of a window. */
uint32_t encode_self_jump(uint8_t *out);
bool is_one_instruction(uint64_t from, uint32_t window);
/* Code that does not cross a multiple of so many bytes can be replaced while other threads run it. */
uint32_t written_at_once(void);
/* Whether there is a system-call instruction at this address. */
bool is_system_call(uint64_t address);
/* The largest distance of a trampoline from its site. */
uint64_t trampoline_reach(void);
void instructions_changed(uint64_t from, uint64_t to);

#endif
