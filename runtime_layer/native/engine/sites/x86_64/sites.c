/* Finds sites on x86_64: decodes the code around each `0f 05`, then finds the instructions that can move.
 * Tests: tests/lab/libcs/test_sites.py. */
#include "../../../core/text.h"
#include "../elf_image.h"
#include "../sites.h"
#include "code_region.h"
#include "decode.h"

enum {
    JUMP = 5, /* jmp rel32 */
    REACH =
        16384, /* without bounds, branches to a site are searched within this distance, longer than functions */
    CLEAN = 256, /* the number of bytes in front of a site that must decode */
};

static bool is_syscall(const uint8_t *p)
{
    return p[0] == 0x0f && p[1] == 0x05;
}

/* Whether the step in front of `index` is the call at `at` with prefixes, which have no effect on it. */
static bool is_behind_prefixes(struct image image, const struct code *c, uint64_t at, uint32_t index)
{
    uint64_t from = index ? c->from + c->steps[index - 1].at : at;
    if (from >= at || from + c->steps[index - 1].len != at + 2)
        return false;
    while (from < at && (is_prefix(image.bytes[from]) || (image.bytes[from] & 0xf0) == 0x40))
        from++;
    return from == at;
}

static bool is_zero(const uint8_t *bytes, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

/* Decodes the function that holds `at`, or a stretch of [low, high) around it, up to `at`: most `0f 05` are no instruction,
 * and the rest is not needed then. False: it is known to be data. */
static bool decode_to_site(struct image image, uint64_t low, uint64_t high, uint64_t at, struct code *c)
{
    uint64_t from, to;
    if (c->bounded && at >= c->from && at < c->to) {
        /* the same function */
    } else if (image_function(image, at, &c->entry, &from, &to)) {
        begin_code(from, to, true, c);
    } else if (image_is_data(image, at)) {
        return false;
    } else {
        from = at - low > REACH ? at - REACH : low;
        to = high - at > REACH ? at + REACH : high;
        if (c->bounded || c->from > from || c->to < to) {
            to = high - at > 3 * REACH ? at + 3 * REACH : high; /* for later sites too */
            image_neighbours(image, at, &from, &to);
            begin_code(from, to, false, c);
        }
    }
    decode_until(image, at + 1, at, c);
    return true;
}

/* Whether all bytes right in front of this offset were decoded, by the steps up to `index`. */
static bool is_clean(const struct code *c, uint64_t offset, uint32_t index)
{
    while (index-- > 0 && offset - c->steps[index].at <= CLEAN)
        if (c->steps[index].flags & STEP_LOST)
            return false;
    return true;
}

/* The end of the instructions from `at` on that begin before `to`; 0 when one is unknown. Zeroes behind a return end the code.
 */
static uint64_t decode_through(struct image image, const struct code *c, uint64_t at, uint64_t to)
{
    bool ends = false;
    for (struct insn insn; at < to; at += insn.len) {
        insn = take_rare_step(image, c, at);
        if (insn.flags & STEP_LOST)
            return ends && is_zero(image.bytes + at, to - at < ALIGNMENT ? to - at : ALIGNMENT) ? to : 0;
        ends = insn.flags & INSN_ENDS;
    }
    return at;
}

/* Whether code makes this call, though the bytes in front are no code. In a table, more constants follow; a function is
 * followed by another at a function's alignment. */
static bool may_be_behind_data(struct image image, const struct code *c, uint64_t at, bool arrives)
{
    enum { BOUNDARY = 16, BOUNDARIES = 4 };
    uint64_t begin = at / BOUNDARY * BOUNDARY;
    for (uint32_t i = 0; i < BOUNDARIES && begin >= c->from && !arrives; i++, begin -= BOUNDARY)
        arrives = decode_through(image, c, begin, at) == at;
    uint64_t behind = c->to - at > CLEAN ? at + CLEAN : c->to;
    return arrives && decode_through(image, c, at, image_code_end(image, at, behind));
}

/* The number in eax, if the instruction right in front loads it and no branch leads in between. -1: unknown, so the site is
 * patched, and the gate reads the number of each call. */
static int32_t constant_number(struct image image, const struct code *c, uint32_t index)
{
    enum { MOV = 0xb8, MOV_TO_ANY = 0xc7, XOR = 0x31, XOR_FROM_ANY = 0x33, XOR_LENGTH = 2 };
    const struct step *before = &c->steps[index ? index - 1 : 0];
    const uint8_t *p = image.bytes + c->from + before->at;
    struct parts t = parse_operands(p, before->len);
    bool moves = (t.op == MOV && !t.low && before->len == t.operands + 4u) ||
                 (t.op == MOV_TO_ANY && !(t.reg & 7) && t.rm == RAX && before->len == t.operands + 5u);
    bool clears =
        (t.op == XOR || t.op == XOR_FROM_ANY) && t.reg == RAX && t.rm == RAX && before->len == XOR_LENGTH;
    int32_t number = 0;
    if (!index || !(moves || clears) || has_edge_into(c, before->at + 1, c->steps[index].at))
        return -1;
    if (moves)
        __builtin_memcpy(&number, p + before->len - sizeof number, sizeof number);
    return number;
}

/* Whether mov $15, %rax is right in front of the call at `at`. */
static bool is_sigreturn(struct image image, uint64_t low, uint64_t at)
{
    static const uint8_t load[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0};
    return at - low >= sizeof load && same_bytes(image.bytes + at - sizeof load, load, sizeof load);
}

/* Whether it is rt_sigreturn's code, which never moves: no branch may lead behind the number. */
static bool is_return(const struct code *c, uint32_t index)
{
    enum { LENGTH = 7 };
    int64_t site = c->steps[index].at;
    return index && c->steps[index - 1].len == LENGTH && !has_edge_into(c, site - LENGTH + 1, site);
}

/* Whether this step can run at another place. */
static bool is_movable(struct image image, const struct code *c, uint32_t index)
{
    const struct step *step = &c->steps[index];
    return index < c->step_count && !(step->flags & (INSN_BRANCH | INSN_ENDS | INSN_CALLS)) &&
           !is_syscall(image.bytes + c->from + step->at) && c->from + step->at >= c->taken;
}

/* Whether it is a nop, which may be padding before a function: its callers enter behind it. */
static bool is_padding(const uint8_t *p, uint32_t len)
{
    uint32_t i = 0;
    while (i + 1 < len && (p[i] == 0x66 || p[i] == 0x2e))
        i++;
    return p[i] == 0x90 || (p[i] == 0x0f && i + 1 < len && p[i + 1] == 0x1f);
}

/* Whether the step in front of another can move, as a part of the same function. */
static bool is_movable_in_front(struct image image, const struct code *c, uint32_t index)
{
    const struct step *step = &c->steps[index];
    return is_movable(image, c, index) &&
           (c->bounded || !is_padding(image.bytes + c->from + step->at, step->len));
}

/* The bytes in front of the site that can move to make room for a jump; 0: too few. */
static uint32_t find_room_in_front(struct image image, const struct code *c, uint32_t index)
{
    int64_t site = c->steps[index].at;
    uint32_t window = 0;
    while (window < JUMP && index-- > 0) {
        if (!is_movable_in_front(image, c, index))
            return 0;
        window += c->steps[index].len;
    }
    bool fits = window >= JUMP && window <= WINDOW_MAX;
    return fits && !has_edge_into(c, site - window + 1, site) ? window : 0;
}

static bool step_is_target(const struct code *c, uint32_t index)
{
    return has_edge_into(c, c->steps[index].at, c->steps[index].at);
}

static bool is_ret(struct image image, const struct code *c, uint32_t index)
{
    const struct step *step = &c->steps[index];
    return index < c->step_count && image.bytes[c->from + step->at] == 0xc3;
}

/* Makes room for a jump that replaces the instruction: the steps in front of it, up to a branch target, then those behind it,
 * up to a return. musl has such sites: `again: mov %rdx, %rax; syscall; cmp; je again`. */
static bool make_room(struct image image, struct code *c, uint32_t index, struct site *site)
{
    uint32_t first = index, next = index + 1, front = 0, behind = 2;
    while (front + behind < JUMP && first > 0 && !step_is_target(c, first) &&
           is_movable_in_front(image, c, first - 1))
        front += c->steps[--first].len;
    while (front + behind < JUMP && next < c->step_count && is_movable(image, c, next) &&
           !step_is_target(c, next))
        behind += c->steps[next++].len;
    if (front + behind < JUMP && is_ret(image, c, next) && !step_is_target(c, next))
        behind += c->steps[next].len;
    if (front + behind < JUMP || front + behind > WINDOW_MAX)
        return false;
    site->window = (uint8_t)front;
    site->behind = (uint8_t)behind;
    c->taken = site->offset + behind;
    return true;
}

static void classify(struct image image, uint64_t low, uint64_t high, uint64_t at, struct code *c,
                     struct site *site)
{
    const uint8_t *p = image.bytes + at;
    *site = (struct site){.offset = at, .number = -1, .kind = SITE_NOT_A_SITE};
    if (!decode_to_site(image, low, high, at, c))
        return;
    uint32_t index;
    bool arrives = find_step(c, at - c->from, &index), clean = is_clean(c, at - c->from, index);
    bool has_prefix = !arrives && is_behind_prefixes(image, c, at, index),
         returns = is_sigreturn(image, low, at);
    arrives |= has_prefix;
    if (!arrives || !clean || has_prefix) {
        /* The bytes lie inside an instruction, in data, or behind an unknown instruction. A number loaded right in front means
         * the latter. */
        bool loaded = returns || (at - low >= JUMP && p[-5] == 0xb8 && p[-3] <= 3 && !p[-2] && !p[-1]);
        if (loaded || (c->bounded || clean ? arrives || !clean : may_be_behind_data(image, c, at, arrives)))
            site->kind = SITE_HARD;
        return;
    }
    decode_until(image, c->to, at, c); /* branches to it may come from the whole function */
    add_incoming_edges(image, c);
    site->kind = SITE_HARD;
    if (c->full) /* a branch from the rest of a longer function would be missed */
        return;
    site->number = constant_number(image, c, index);
    if (returns && is_return(c, index)) {
        site->kind = SITE_RETURN;
        return;
    }
    site->window = (uint8_t)find_room_in_front(image, c, index);
    site->kind = site->window || make_room(image, c, index, site) ? SITE_PATCHABLE : SITE_HARD;
}

/* The number of blocks of 32 bytes before the first one in which a `0f 05` begins. Reads one byte beyond them. This loop is
 * half of a search, and three times as fast with vectors. As the gate saves general registers only, and the compiler uses no
 * others, the loop restores the vectors that it uses. Processors prefetch only to the end of a page, so it prefetches the next
 * bytes, which never faults. */
enum { BLOCK = 32, AHEAD = 2048 };
static uint64_t blocks_without_syscall(const uint8_t *from, uint64_t blocks)
{
#if defined(__x86_64__)
    uint8_t saved[6][16];
    uint64_t left = blocks;
    __asm__ volatile(
        "movups %%xmm0, (%[saved])\n movups %%xmm1, 16(%[saved])\n movups %%xmm2, 32(%[saved])\n"
        "movups %%xmm3, 48(%[saved])\n movups %%xmm4, 64(%[saved])\n movups %%xmm5, 80(%[saved])\n"
        "mov $0x0f0f0f0f, %%eax\n movd %%eax, %%xmm4\n pshufd $0, %%xmm4, %%xmm4\n"
        "mov $0x05050505, %%eax\n movd %%eax, %%xmm5\n pshufd $0, %%xmm5, %%xmm5\n"
        "1: test %[left], %[left]\n jz 2f\n"
        "prefetcht0 %c[ahead](%[from])\n movdqu (%[from]), %%xmm0\n movdqu 1(%[from]), %%xmm1\n"
        "movdqu 16(%[from]), %%xmm2\n movdqu 17(%[from]), %%xmm3\n"
        "pcmpeqb %%xmm4, %%xmm0\n pcmpeqb %%xmm5, %%xmm1\n pand %%xmm1, %%xmm0\n"
        "pcmpeqb %%xmm4, %%xmm2\n pcmpeqb %%xmm5, %%xmm3\n pand %%xmm3, %%xmm2\n"
        "por %%xmm2, %%xmm0\n pmovmskb %%xmm0, %%eax\n test %%eax, %%eax\n jnz 2f\n"
        "add $32, %[from]\n dec %[left]\n jmp 1b\n"
        "2: movups (%[saved]), %%xmm0\n movups 16(%[saved]), %%xmm1\n movups 32(%[saved]), %%xmm2\n"
        "movups 48(%[saved]), %%xmm3\n movups 64(%[saved]), %%xmm4\n movups 80(%[saved]), %%xmm5\n"
        : [from] "+r"(from), [left] "+r"(left)
        : [saved] "r"(saved), [ahead] "i"(AHEAD)
        : "rax", "cc", "memory");
    return blocks - left;
#else
    (void)from;
    (void)blocks;
    return 0; /* compiled on another architecture, to search x86_64 files */
#endif
}

/* The first byte from `at` on where a system call may begin; `to`: none. */
static uint64_t next_candidate(const uint8_t *bytes, uint64_t at, uint64_t to)
{
    while (at + 1 < to && !is_syscall(bytes + at)) {
        bool skips = at % BLOCK == 0 && to - at > BLOCK;
        uint64_t skipped = skips ? blocks_without_syscall(bytes + at, (to - at - 1) / BLOCK) : 0;
        at += skipped ? BLOCK * skipped : 1;
    }
    return at;
}

bool find_sites(struct image image, uint64_t from, uint64_t to, void *workspace,
                void (*each)(void *context, const struct site *site), void *context)
{
    struct code *c = workspace;
    c->from = c->to = UINT64_MAX; /* drops the code of another object */
    c->bounded = true;
    c->taken = 0;
    c->entry = 0;
    if (!image_is_elf(image) || from > to || to > image.size)
        return false;
    uint64_t at = next_candidate(image.bytes, from, to);
    if (at + 1 < to)
        list_usual(&c->usual);
    for (; at + 1 < to; at = next_candidate(image.bytes, at + 1, to)) {
        struct site site;
        classify(image, from, to, at, c, &site);
        if (site.kind != SITE_NOT_A_SITE)
            each(context, &site);
    }
    return true;
}
