#include "patch.h"

#include "../core/text.h"
#include "guarded.h"
#include "mappings.h"
#include "state.h"

extern void gate_entry(void) __attribute__((visibility("hidden")));

/* Trampolines lie behind a first slot that holds the gate's address: one indirect call reaches it from any
 * distance. */
enum { SLOT = 64, STEP_FINE = 0x10000, STEP_COARSE = 0x400000, FINE_UNTIL = 0x1000000, GAP = 0x1000 };

/* Anonymous memory that every site in [low, high) can reach. */
static uint64_t near_memory(uint64_t low, uint64_t high, uint64_t size) {
    uint64_t reach = trampoline_reach();
    for (uint64_t distance = 0; distance < reach; distance += distance < FINE_UNTIL ? STEP_FINE : STEP_COARSE) {
        uint64_t candidates[2] = {page_up(high) + GAP + distance, page_down(low) - size - GAP - distance};
        for (uint32_t i = 0; i < 2; i++) {
            uint64_t hint = candidates[i];
            if (i == 1 && hint > low)
                continue;
            int64_t at = KERNEL(mmap, hint, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            if (is_error(at))
                continue;
            uint64_t span = (uint64_t)at > low ? (uint64_t)at + size - low : high - (uint64_t)at;
            if (span < reach)
                return (uint64_t)at;
            KERNEL(munmap, at, size);
        }
    }
    return 0;
}

static bool wants_patch(const struct site *site) {
    return site->kind != SITE_RETURN && (site->number < 0 || is_guarded(site->number));
}

static void count(void *context, const struct site *site) {
    struct patch *patch = context;
    patch->sites++;
    if (!wants_patch(site))
        return;
    patch->wanted++;
    if (site->kind == SITE_HARD && patch->hard++ == 0)
        patch->first_hard = *site;
}

struct writing {
    struct patch *patch;
    uint64_t slot, next, end; /* trampolines */
    uint64_t open_low, open_high; /* text pages that are writable now */
};

static void close_pages(struct writing *w) {
    if (w->open_high)
        KERNEL(mprotect, w->open_low, w->open_high - w->open_low, PROT_READ | PROT_EXEC);
    w->open_low = w->open_high = 0;
}

static bool open_pages(struct writing *w, uint64_t from, uint64_t to) {
    uint64_t low = page_down(from), high = page_up(to);
    if (high > page_up(w->patch->high))
        high = page_up(w->patch->high);
    if (w->open_high && low >= w->open_low && high <= w->open_high)
        return true;
    close_pages(w);
    if (is_error(KERNEL(mprotect, low, high - low, PROT_READ | PROT_WRITE | PROT_EXEC)))
        return false;
    w->open_low = low;
    w->open_high = high;
    return true;
}

static void write_one(void *context, const struct site *site) {
    struct writing *w = context;
    struct patch *patch = w->patch;
    if (!wants_patch(site) || site->kind != SITE_PATCHABLE)
        return;
    uint64_t at = site->offset + patch->delta;
    uint64_t from = at - site->window;
    /* What runs must be what was decoded: memory that differs from the file was changed by somebody else. */
    bool same = from >= patch->low && at + 2 <= patch->high &&
                same_bytes((const void *)from, patch->image.bytes + site->offset - site->window, site->window + 2u);
    uint32_t length = same && w->next + TRAMPOLINE <= w->end
                          ? trampoline_write((uint8_t *)w->next, at, site->window, w->slot)
                          : 0;
    if (!length || !open_pages(w, from, from + 8) || !jump_write(from, site->window, w->next)) {
        if (patch->hard++ == 0)
            patch->first_hard = *site;
        return;
    }
    w->next += TRAMPOLINE;
    patch->patched++;
}

bool patch_mapping(struct patch *patch) {
    uint64_t from = patch->low - patch->delta, to = patch->high - patch->delta;
    if (to > patch->image.size)
        to = patch->image.size; /* the last page's tail lies behind the file's end */
    if (!find_sites(patch->image, from, to, count, patch))
        return false;
    if (patch->wanted == 0 || patch->hard)
        return patch->hard == 0;
    uint64_t size = page_up(SLOT + (uint64_t)patch->wanted * TRAMPOLINE);
    uint64_t memory = near_memory(patch->low, patch->high, size);
    if (!memory)
        return false;
    *(uint64_t *)memory = (uint64_t)gate_entry;
    struct writing writing = {.patch = patch, .slot = memory, .next = memory + SLOT, .end = memory + size};
    /* The trampolines must be executable before the first jump leads to them: other threads may be running. */
    if (is_error(KERNEL(mprotect, memory, size, PROT_READ | PROT_WRITE | PROT_EXEC)))
        return false;
    find_sites(patch->image, from, to, write_one, &writing);
    close_pages(&writing);
    instructions_changed(memory, memory + size);
    instructions_changed(patch->low, patch->high);
    if (is_error(KERNEL(mprotect, memory, size, PROT_READ | PROT_EXEC)))
        return false;
    return patch->hard == 0 && protect_range(memory, memory + size) && protect_text(patch->low, patch->high);
}
