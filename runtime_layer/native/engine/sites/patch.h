/* Putting a jump in front of a site, and the trampoline that it leads to.
 *
 * The system-call instruction itself stays where it is: a call that a signal interrupts is restarted by the kernel at that very
 * address, and unwinders and cancellation look for it there. Moving it was measured to break all three. Without room in front
 * of it (musl has such sites, glibc has none that is guarded), the jump replaces it after all: calls then restart in the
 * trampoline, and only unwinders lose their way.
 */
#ifndef SHIELD_PATCH_H
#define SHIELD_PATCH_H

#include "../base/raw_syscall.h"
#include "site_cache.h"
#include "sites.h"

/* Memory for one search, with any content: the gate's stack is too small. A mapping with more sites is not patched. */
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
    bool only_look;     /* nothing is written: can it be patched? */
    bool by_header;     /* sets `high` to the end of the file's code; the rest is not to run */
    bool has_code;      /* by its file */
    bool
        is_waiting; /* by its file, the loader has to relocate it first: it is neither searched nor patched yet */
    uint32_t sites;
    uint32_t wanted; /* sites that can make a guarded call */
    uint32_t patched;
    uint32_t hard; /* wanted, but nothing fits in front */
    struct site first_hard;
    bool is_go;            /* the reason why none can be patched */
    struct writer *record; /* gets the sites, for children; NULL: none */
    struct object_key key;
    struct room *room; /* NULL: new memory */
};

/* Finds and patches all sites of one executable mapping of an open file of that size that can make a guarded call. False when
 * one of them stays unpatched: the mapping must not run. */
bool patch_file_mapping(int32_t file, uint64_t size, struct patch *patch);
/* The same for sites that are known already; there is no image then. */
bool patch_known_sites(struct patch *patch, const struct site *sites, uint32_t count);

/* A trampoline lies in one cache line, as it is cold in most calls. */
enum { TRAMPOLINE = 64 };
/* Writes the trampoline of the site at `address` to `at`: the instructions of the window, a call of the gate through `slot`,
 * and the way back. Returns its length; 0: the window cannot move there. (Per architecture.) */
uint32_t trampoline_write(uint8_t *at, uint64_t address, const struct site *site, uint64_t slot);
/* The jump from the window's first byte to the trampoline, as bytes. Returns their number; 0: out of reach. */
enum { JUMP_MAX = 5 };
uint32_t encode_jump(uint8_t *out, uint64_t from, uint32_t window, uint64_t to);
/* A jump to itself, where arriving threads wait. No longer than the first instruction of any window. */
uint32_t encode_self_jump(uint8_t *out);
bool is_one_instruction(uint64_t from, uint32_t window);
/* Code that does not cross a multiple of this many bytes can be replaced while others run it. */
uint32_t written_at_once(void);
/* Does a system-call instruction stand at this address? */
bool is_system_call(uint64_t address);
/* The largest distance of a trampoline from its site. */
uint64_t trampoline_reach(void);
void instructions_changed(uint64_t from, uint64_t to);

#endif
