/* Tests: tests/integration/engine/test_layouts.py, tests/integration/from_code/test_python.py. */
#include "patch.h"

#include "../../core/text.h"
#include "../base/protected_ranges.h"
#include "../base/quiesce.h"
#include "../state/sealed_pages.h"
#include "../state/sealed_state.h"
#include "../state/syscall_policy.h"
#include "elf_image.h"

/* Trampolines follow a slot that holds the gate's address, as an indirect call reaches any distance. */
enum { SLOT = 64, STEP_FINE = 0x10000, STEP_COARSE = 0x400000, FINE_UNTIL = 0x1000000, GAP = 0x1000 };

/* Maps memory that every site in [low, high) can reach, where the kernel chooses (`flags` 0), or only at the hint; else 0. */
static uint64_t reachable_memory(uint64_t hint, uint64_t flags, uint64_t low, uint64_t high, uint64_t size)
{
    int64_t at = KERNEL(mmap, hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (is_error(at))
        return 0;
    uint64_t span = (uint64_t)at > low ? (uint64_t)at + size - low : high - (uint64_t)at;
    if (span < trampoline_reach())
        return (uint64_t)at;
    KERNEL(munmap, at, size);
    return 0;
}

/* The kernel's choice is mostly near libraries; a program may lie elsewhere, so places around it are tried. */
static uint64_t near_memory(uint64_t low, uint64_t high, uint64_t size)
{
    uint64_t reach = trampoline_reach(), at = reachable_memory(0, 0, low, high, size);
    for (uint64_t distance = 0; distance < reach && !at;
         distance += distance < FINE_UNTIL ? STEP_FINE : STEP_COARSE) {
        uint64_t above = page_up(high) + GAP + distance, below = page_down(low) - size - GAP - distance;
        at = reachable_memory(above, MAP_FIXED_NOREPLACE, low, high, size);
        if (!at && below < low)
            at = reachable_memory(below, MAP_FIXED_NOREPLACE, low, high, size);
    }
    return at;
}

/* The sites to patch, kept as a second search would be expensive. */
struct found_sites {
    struct patch *patch;
    struct site *sites;
};

static void keep_wanted(void *context, const struct site *site)
{
    struct found_sites *found = context;
    struct patch *patch = found->patch;
    patch->sites++;
    if (site->kind == SITE_RETURN || (site->number >= 0 && !may_be_guarded(site->number)))
        return;
    /* An unguarded exit_group only loses counts of alerts, so it does not refuse a start. */
    if (site->kind == SITE_HARD && site->number == __NR_exit_group)
        return;
    if (site->kind == SITE_HARD || patch->wanted == SITES_MAX) {
        if (patch->hard++ == 0)
            patch->first_hard = *site;
        return;
    }
    found->sites[patch->wanted++] = *site;
}

/* Whether the memory equals the decoded file: other code may have changed it. */
static bool is_unchanged(const struct patch *patch, const struct site *site, uint64_t from)
{
    uint32_t len = site->window + site->behind, end = site->behind ? len : len + CALL_LENGTH;
    if (from < patch->low || from + end > patch->high || !is_system_call(from + site->window))
        return false;
    return !patch->image.bytes ||
           same_bytes((const void *)from, patch->image.bytes + site->offset - site->window, len);
}

/* The memory of one mapping's patch. */
struct patch_work {
    struct patch *patch;
    const struct site *sites;
    uint64_t memory; /* the slot and the trampolines */
    bool shared;     /* other threads are running */
};

static uint64_t window_of(const struct patch_work *work, const struct site *site)
{
    return site->offset + work->patch->delta - site->window;
}

/* Stores eight bytes of one page at once, of which `n` change; word by word where instructions are words. */
static void store_word(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    if (n == 4 && at % 4 == 0) {
        uint32_t word;
        __builtin_memcpy(&word, bytes, 4);
        __atomic_store_n((uint32_t *)at, word, __ATOMIC_SEQ_CST);
        return;
    }
    uint64_t last = page_up(at + 1) - 8, begin = at < last ? at : last, word;
    __builtin_memcpy(&word, (const void *)begin, 8);
    __builtin_memcpy((uint8_t *)&word + (at - begin), bytes, n);
    *(volatile uint64_t *)begin = word;
}

/* Replaces pages, which other threads may be running, by changed copies. */
static bool replace_pages(uint64_t at, const uint8_t *bytes, uint32_t n)
{
    uint64_t low = page_down(at), size = page_up(at + n) - low;
    uint8_t *copy = pages_copy((const void *)low, size);
    if (!copy)
        return false;
    copy_bytes(copy + (at - low), bytes, n);
    return pages_replace(copy, (void *)low, size, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Writes at most 8 bytes over writable code, so that a thread that runs it sees the old or the new instruction, never a mixture.
 * `shared`: other threads may be running it. */
static bool write_code(uint64_t at, const uint8_t *bytes, uint32_t n, bool shared)
{
    uint64_t within = at % written_at_once();
    if (within + n <= written_at_once())
        store_word(at, bytes, n);
    else if (shared)
        return replace_pages(at, bytes, n);
    else
        copy_bytes((void *)at, bytes, n);
    return true;
}

static bool write_jump(const struct patch_work *work, uint32_t index)
{
    const struct site *site = &work->sites[index];
    uint8_t jump[JUMP_MAX];
    uint64_t from = window_of(work, site);
    uint32_t len = encode_jump(jump, from, site->window + site->behind,
                               work->memory + SLOT + (uint64_t)index * TRAMPOLINE);
    return len && write_code(from, jump, len, work->shared);
}

/* Whether the window has several instructions, so that a thread may be between them and must leave before they change. */
static bool is_split_window(const struct patch_work *work, const struct site *site)
{
    return work->shared && (site->behind || !is_one_instruction(window_of(work, site), site->window));
}

static bool write_trampoline(const struct patch_work *work, uint32_t index)
{
    const struct site *site = &work->sites[index];
    uint64_t at = site->offset + work->patch->delta;
    uint64_t trampoline = work->memory + SLOT + (uint64_t)index * TRAMPOLINE;
    return is_unchanged(work->patch, site, window_of(work, site)) &&
           trampoline_write((uint8_t *)trampoline, at, site, work->memory);
}

static bool is_in_a_window(const void *context, uint64_t address)
{
    const struct patch_work *work = context;
    for (uint32_t i = 0; i < work->patch->wanted; i++) {
        const struct site *site = &work->sites[i];
        uint64_t from = window_of(work, site), to = from + site->window + site->behind;
        /* A restart of a moved call would return into the window. */
        if (address > from && (site->behind ? address <= to : address < to))
            return true;
    }
    return false;
}

static bool write_jumps(const struct patch_work *work)
{
    uint8_t gate[JUMP_MAX];
    uint32_t len = encode_self_jump(gate), waiting = 0;
    bool succeeds = true;
    for (uint32_t i = 0; i < work->patch->wanted && succeeds; i++) {
        bool waits = is_split_window(work, &work->sites[i]);
        succeeds =
            waits ? write_code(window_of(work, &work->sites[i]), gate, len, true) : write_jump(work, i);
        work->patch->patched++;
        waiting += waits;
    }
    if (!waiting || !succeeds)
        return succeeds;
    /* From here on, no thread can enter the windows with a jump to itself. */
    synchronize_processors();
    succeeds = wait_for_threads(is_in_a_window, work);
    for (uint32_t i = 0; i < work->patch->wanted && succeeds; i++)
        if (same_bytes((const void *)window_of(work, &work->sites[i]), gate, len))
            succeeds = write_jump(work, i);
    return succeeds;
}

static bool patch_sites(struct patch *patch, const struct site *sites)
{
    uint64_t size = page_up(SLOT + (uint64_t)patch->wanted * TRAMPOLINE);
    uint64_t memory = near_memory(patch->low, patch->high, size);
    if (!memory)
        return false;
    const struct patch_work work = {patch, sites, memory, patch->shared};
    *(uint64_t *)memory = sealed->process.gate;
    uint64_t low = patch->low, high = page_up(patch->high);
    for (uint32_t i = 0; i < patch->wanted; i++)
        if (!write_trampoline(&work, i) && patch->hard++ == 0)
            patch->first_hard = sites[i];
    instructions_changed(memory, memory + size);
    /* The whole text is made writable by one call; only pages that are written to become private. It stays executable only if
     * other threads run it. */
    uint64_t open_for = PROT_READ | PROT_WRITE | (work.shared ? PROT_EXEC : 0);
    if (patch->hard || is_error(KERNEL(mprotect, memory, size, PROT_READ | PROT_EXEC)) ||
        is_error(KERNEL(mprotect, low, high - low, open_for)))
        return false;
    bool finished = write_jumps(&work);
    instructions_changed(low, high);
    if (work.shared)
        synchronize_processors();
    bool closed = !is_error(KERNEL(mprotect, low, high - low, PROT_READ | PROT_EXEC));
    return finished && closed && patch->hard == 0 && protect_range(memory, memory + size, RANGE_ENGINE, 0) &&
           protect_range(low, high, RANGE_TEXT, memory);
}

bool patch_known_sites(struct patch *patch, const struct site *sites, uint32_t count)
{
    patch->wanted = count;
    return count == 0 || patch_sites(patch, sites);
}

/* The gate runs on the caller's stack, which is too small in Go, so Go's system calls cannot be guarded. */
static bool has_no_stack_for_the_gate(struct patch *patch, const struct site *sites)
{
    patch->is_go = patch->wanted && patch->image.size && image_is_go(patch->image);
    if (patch->is_go && patch->hard++ == 0)
        patch->first_hard = sites[0];
    return patch->is_go;
}

static bool can_patch(const struct patch *patch, const struct site *sites)
{
    const struct patch_work work = {.patch = (struct patch *)patch, .sites = sites};
    bool succeeds = true;
    for (uint32_t i = 0; i < patch->wanted && succeeds; i++)
        succeeds = is_unchanged(patch, &sites[i], window_of(&work, &sites[i]));
    return succeeds;
}

static bool patch_found(struct patch *patch, struct room *room)
{
    bool succeeds = !has_no_stack_for_the_gate(patch, room->sites) && patch->hard == 0 &&
                    (patch->wanted == 0 ||
                     (patch->only_checks ? can_patch(patch, room->sites) : patch_sites(patch, room->sites)));
    if (succeeds && patch->record)
        known_sites_write(patch->record, &patch->key, room->sites, patch->wanted);
    return succeeds;
}

static bool find_and_patch(struct patch *patch, struct room *room)
{
    uint64_t from = patch->low - patch->delta, to = patch->high - patch->delta;
    patch->has_code = image_has_code(patch->image, from);
    if (patch->by_header) {
        to = page_up(image_code_end(patch->image, from, to));
        patch->high = to + patch->delta;
    }
    if (patch->is_waiting)
        return true;
    if (to > patch->image.size)
        to = patch->image.size; /* the last page extends beyond the file */
    struct found_sites found = {patch, room->sites};
    uint64_t begin = image_code_begin(patch->image, from, to);
    return find_sites(patch->image, from, begin > from ? begin + 1 : from, room->workspace, keep_wanted,
                      &found) &&
           find_sites(patch->image, begin, to, room->workspace, keep_wanted, &found) &&
           patch_found(patch, room);
}

static bool patch_mapping(struct patch *patch)
{
    if (patch->room)
        return find_and_patch(patch, patch->room);
    struct room *room = new_memory(sizeof *room);
    if (!room)
        return false;
    bool succeeds = find_and_patch(patch, room);
    KERNEL(munmap, room, sizeof *room);
    return succeeds;
}

/* Copies the loader's relocations into the view of the file, so that the final code is searched. */
static bool view_memory(struct patch *patch)
{
    const struct image *view = &patch->image;
    if (is_error(KERNEL(mprotect, view->bytes, view->size, PROT_READ | PROT_WRITE)))
        return false;
    for (uint64_t at = patch->low - patch->delta, to = patch->high - patch->delta; at < to && at < view->size;
         at += PAGE) {
        uint64_t n = view->size - at < PAGE ? view->size - at : PAGE;
        const void *memory = (const void *)(at + patch->delta);
        if (!same_bytes(memory, view->bytes + at, n))
            copy_bytes((uint8_t *)view->bytes + at, memory, n);
    }
    return true;
}

bool patch_file_mapping(int32_t file, uint64_t size, struct patch *patch)
{
    /* The file is read through another mapping, as the mapped text may be patched already. It is not populated at once: a fault
     * maps sixteen pages, which is cheaper than madvise. */
    int64_t view = KERNEL(mmap, 0, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (is_error(view))
        return false;
    patch->image = (struct image){(const uint8_t *)view, size};
    bool is_relocated = image_has_text_relocations(patch->image);
    patch->is_waiting = is_relocated && patch->by_header;
    bool succeeds = (!is_relocated || patch->is_waiting || view_memory(patch)) && patch_mapping(patch);
    KERNEL(munmap, view, size);
    return succeeds;
}
