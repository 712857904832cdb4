/* Site discovery on aarch64: instructions are words, so `svc #0` is found by its value; a literal pool that
 * holds the same word would be patched to no effect, as nothing executes it. */
#include "../sites.h"

#include "../elf_image.h"

enum { NUMBER_LOOK_BACK = 8, BRANCH_REACH = 1 << 20 };

static uint32_t word(struct image image, uint64_t at) {
    uint32_t w;
    __builtin_memcpy(&w, image.bytes + at, 4);
    return w;
}

static bool is_svc(uint32_t w) {
    return w == 0xd4000001;
}

static bool loads_number(uint32_t w) { /* movz x8, #n */
    return (w & 0xffe0001f) == 0xd2800008 || (w & 0xffe0001f) == 0x52800008;
}

/* May the word run at another address, and does control go on to the next one? */
static bool relocatable(uint32_t w) {
    bool pc_relative = (w & 0x1f000000) == 0x10000000    /* adr, adrp */
                       || (w & 0x3b000000) == 0x18000000 /* ldr literal */
                       || (w & 0x7c000000) == 0x14000000 /* b, bl */
                       || (w & 0xfe000000) == 0x54000000 /* b.cond */
                       || (w & 0x7c000000) == 0x34000000 /* cbz, tbz */
                       || (w & 0xfe000000) == 0xd6000000 /* br, blr, ret */
                       || (w & 0xff000000) == 0xd4000000 /* svc, brk, ... */
                       || (w & 0xfffff01f) == 0xd503201f /* hints: paciasp, bti */;
    /* Exclusive loads and stores must not have other memory accesses between them. */
    bool exclusive = (w & 0x3f000000) == 0x08000000;
    return !pc_relative && !exclusive;
}

/* Where a direct branch at `at` goes, or `at` itself when the word is none. */
static uint64_t branch_target(uint32_t w, uint64_t at) {
    if ((w & 0x7c000000) == 0x14000000)
        return at + (uint64_t)((int64_t)((uint64_t)w << 38) >> 36);
    if ((w & 0xfe000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000)
        return at + (uint64_t)((int64_t)((uint64_t)(w & 0x00ffffe0) << 40) >> 43);
    if ((w & 0x7e000000) == 0x36000000)
        return at + (uint64_t)((int64_t)((uint64_t)(w & 0x0007ffe0) << 45) >> 48);
    return at;
}

/* Does a branch of the same function go straight to the instruction? Then a jump in front would be missed. */
static bool jumped_to(struct image image, uint64_t from, uint64_t to, uint64_t site) {
    for (uint64_t at = from; at + 4 <= to; at += 4)
        if (at != site && branch_target(word(image, at), at) == site)
            return true;
    return false;
}

static void classify(struct image image, uint64_t low, uint64_t high, uint64_t at, struct site *site) {
    *site = (struct site){.offset = at, .number = -1, .kind = SITE_HARD, .window = 4};
    uint64_t from, to;
    if (!image_function(image, at, &from, &to)) {
        from = at - low > BRANCH_REACH ? at - BRANCH_REACH : low;
        to = high - at > BRANCH_REACH ? at + BRANCH_REACH : high;
    }
    if (at < from + 4 || jumped_to(image, from, to, at))
        return;
    for (uint32_t back = 1; back <= NUMBER_LOOK_BACK && at >= from + 4ull * back; back++) {
        uint32_t w = word(image, at - 4ull * back);
        if (loads_number(w)) {
            site->number = (int32_t)((w >> 5) & 0xffff);
            break;
        }
        if (!relocatable(w) || (w & 0x1f) == 8)
            break;
    }
    if (!relocatable(word(image, at - 4)))
        return;
    site->kind = site->number == 139 ? SITE_RETURN : SITE_PATCHABLE;
}

bool find_sites(struct image image, uint64_t from, uint64_t to, void (*each)(void *context, const struct site *site),
                void *context) {
    if (!image_is_elf(image) || from > to || to > image.size || from % 4)
        return false;
    for (uint64_t at = from; at + 4 <= to; at += 4)
        if (is_svc(word(image, at))) {
            struct site site;
            classify(image, from, to, at, &site);
            each(context, &site);
        }
    return true;
}
