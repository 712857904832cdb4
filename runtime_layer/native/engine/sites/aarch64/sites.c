/* Finds sites on aarch64: instructions are words, so `svc #0` is found by its value. Linux ignores the instruction's immediate,
 * but an `svc` with another immediate is usually data, which must not change: it counts only within a function of the unwind
 * tables. Tests: tests/lab/libcs/test_sites.py. */
#include "../elf_image.h"
#include "../sites.h"

enum { BRANCH_REACH = 1 << 14 /* no function is so long */, NR_RT_SIGRETURN = 139 };

static uint32_t word(struct image image, uint64_t at)
{
    uint32_t w;
    __builtin_memcpy(&w, image.bytes + at, 4);
    return w;
}

static bool is_svc(struct image image, uint64_t at)
{
    uint32_t w = word(image, at);
    uint64_t from, to;
    uint32_t near = 0;
    return w == 0xd4000001 ||
           ((w & 0xffe0001f) == 0xd4000001 && image_function(image, at, &near, &from, &to));
}

static bool loads_number(uint32_t w)
{ /* movz x8, #n */
    return (w & 0xffe0001f) == 0xd2800008 || (w & 0xffe0001f) == 0x52800008;
}

/* Whether the word can run at another address, and control then passes to the next one. */
static bool is_relocatable(uint32_t w)
{
    bool pc_relative =
        (w & 0x1f000000) == 0x10000000    /* adr, adrp */
        || (w & 0x3b000000) == 0x18000000 /* ldr literal */
        || (w & 0x7c000000) == 0x14000000 /* b, bl */
        || (w & 0xfe000000) == 0x54000000 /* b.cond */
        || (w & 0x7c000000) == 0x34000000 /* cbz, tbz */
        || (w & 0xfe000000) == 0xd6000000 /* br, blr, ret */
        || (w & 0xff000000) == 0xd4000000 /* svc, brk, ... */
        || ((w & 0xfffff01f) == 0xd503201f && w != 0xd503201f /* hints except nop: paciasp, bti */);
    /* Exclusive loads and stores do not move, as no other memory access may come between them. */
    bool exclusive = (w & 0x3f000000) == 0x08000000;
    return !pc_relative && !exclusive;
}

/* The target of a direct branch at `at`, or `at` where the word is none. */
static uint64_t branch_target(uint32_t w, uint64_t at)
{
    if ((w & 0x7c000000) == 0x14000000)
        return at + (uint64_t)((int64_t)((uint64_t)w << 38) >> 36);
    if ((w & 0xfe000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000)
        return at + (uint64_t)((int64_t)((uint64_t)(w & 0x00ffffe0) << 40) >> 43);
    if ((w & 0x7e000000) == 0x36000000)
        return at + (uint64_t)((int64_t)((uint64_t)(w & 0x0007ffe0) << 45) >> 48);
    return at;
}

static bool is_conditional(uint32_t w)
{
    return (w & 0xfe000000) == 0x54000000 || (w & 0x7c000000) == 0x34000000;
}

static bool has_branch_to(struct image image, uint64_t from, uint64_t to, uint64_t site)
{
    for (uint64_t at = from; at + 4 <= to; at += 4)
        if (at != site && branch_target(word(image, at), at) == site)
            return true;
    return false;
}

static bool is_call(uint32_t w)
{ /* bl */
    return (w & 0xfc000000) == 0x94000000;
}

static bool jumps_by_register(uint32_t w)
{ /* br and ret, but not by x30, which returns; braa and its like */
    enum { LINK = 30 };
    bool is_plain = (w & 0xffbffc1f) == 0xd61f0000, is_signed = (w & 0xfefff800) == 0xd61f0800;
    return is_signed || (is_plain && (w >> 5 & 31) != LINK);
}

struct span {
    uint64_t from, to;
};

static bool is_in(struct span s, uint64_t at)
{
    return at >= s.from && at < s.to;
}

/* Whether control may enter the function [from, to) from elsewhere: by switches, whose tables are not read, or from a cold part
 * that the compiler placed elsewhere. An unconditional branch to another function's beginning is a call. */
static bool may_be_entered(struct image image, struct span own, uint32_t near)
{
    for (uint64_t at = own.from; at + 4 <= own.to; at += 4) {
        uint32_t w = word(image, at);
        uint64_t target = branch_target(w, at);
        struct span part;
        if (jumps_by_register(w))
            return true;
        if (!is_call(w) && !is_in(own, target) &&
            image_function(image, target, &near, &part.from, &part.to) &&
            (part.from != target || is_conditional(w)))
            return true;
    }
    return false;
}

static void classify(struct image image, uint64_t low, uint64_t high, uint64_t at, struct site *site)
{
    /* Without room for a jump in front, it replaces the instruction. */
    *site = (struct site){.offset = at, .number = -1, .kind = SITE_PATCHABLE, .behind = 4};
    uint64_t from, to;
    uint32_t near = 0;
    bool bounded = image_function(image, at, &near, &from, &to);
    if (!bounded) {
        if (image_is_data(image, at)) {
            site->kind = SITE_NOT_A_SITE;
            return;
        }
        from = at - low > BRANCH_REACH ? at - BRANCH_REACH : low;
        to = high - at > BRANCH_REACH ? at + BRANCH_REACH : high;
    }
    if (at < from + 4)
        return;
    if (bounded && may_be_entered(image, (struct span){from, to}, near))
        return;
    uint32_t before = word(image, at - 4);
    if (has_branch_to(image, from, to, at)) /* the branch would skip a jump in front */
        return;
    site->number = loads_number(before) ? (int32_t)(before >> 5 & 0xffff) : -1;
    if (site->number == NR_RT_SIGRETURN)
        site->kind = SITE_RETURN;
    if (is_relocatable(before))
        *site = (struct site){at, site->number, site->kind, .window = 4};
}

bool find_sites(struct image image, uint64_t from, uint64_t to, void *workspace,
                void (*each)(void *context, const struct site *site), void *context)
{
    (void)workspace; /* words are not decoded */
    if (!image_is_elf(image) || from > to || to > image.size || from % 4)
        return false;
    for (uint64_t at = from; at + 4 <= to; at += 4)
        if (is_svc(image, at)) {
            struct site site;
            classify(image, from, to, at, &site);
            if (site.kind != SITE_NOT_A_SITE)
                each(context, &site);
        }
    return true;
}
