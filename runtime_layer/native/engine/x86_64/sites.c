/* Site discovery on x86_64: decode the function around each `0f 05`, then see what may move. */
#include "../sites.h"

#include "../../core/text.h"
#include "../elf_image.h"
#include "decode.h"

enum {
    JUMP = 5,     /* jmp rel32 */
    BEFORE = 16,  /* instructions remembered in front of the site */
    TARGETS = 64, /* branch targets near the site that are remembered */
    NEAR = 32,
    NUMBER_LOOK_BACK = 12,
    VOTERS = 32,
    VOTE_DISTANCE = 288 /* how far before the site voting starts */
};

/* The straight line of instructions that leads to a site, and who jumps into it. */
struct surroundings {
    uint64_t at[BEFORE]; /* file offsets, oldest first */
    struct insn insn[BEFORE];
    uint32_t count;
    uint64_t targets[TARGETS];
    uint32_t target_count;
    bool too_many_targets;
};

static bool is_syscall(const uint8_t *p)
{
    return p[0] == 0x0f && p[1] == 0x05;
}

static void remember(struct surroundings *s, uint64_t at, const struct insn *insn)
{
    if (s->count == BEFORE) {
        for (uint32_t i = 1; i < BEFORE; i++) {
            s->at[i - 1] = s->at[i];
            s->insn[i - 1] = s->insn[i];
        }
        s->count--;
    }
    s->at[s->count] = at;
    s->insn[s->count++] = *insn;
}

static bool jumped_into(const struct surroundings *s, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < s->target_count; i++)
        if (s->targets[i] >= first && s->targets[i] <= last)
            return true;
    return s->too_many_targets;
}

/* Decodes [from, to), filling the surroundings of `site`. False when the decode does not arrive at it as at
 * an instruction of its own. */
static bool decode_function(struct image image, uint64_t from, uint64_t to, uint64_t site,
                            struct surroundings *s)
{
    bool met = false;
    for (uint64_t at = from; at < to;) {
        struct insn insn;
        if (!decode(image.bytes + at, to - at, &insn)) {
            if (!met)
                return false;
            break; /* what follows the site is only looked at for branches back */
        }
        if (at == site)
            met = true;
        else if (!met && at + insn.len > site)
            return false;
        if (!met)
            remember(s, at, &insn);
        if (insn.flags & INSN_BRANCH) {
            uint64_t target = at + (uint64_t)insn.target;
            if (target + NEAR > site && target < site + NEAR) {
                if (s->target_count < TARGETS)
                    s->targets[s->target_count++] = target;
                else
                    s->too_many_targets = true;
            }
        }
        at += insn.len;
    }
    return met;
}

/* Without bounds (hand-written assembly, stripped tables): x86 code synchronises itself, so decodes that start
 * at many offsets well before a real site nearly all arrive at it. */
static bool vote(struct image image, uint64_t low, uint64_t site, uint64_t *from)
{
    uint32_t arrived = 0;
    if (site < low + VOTE_DISTANCE + VOTERS)
        return false;
    for (uint32_t voter = 0; voter < VOTERS; voter++) {
        uint64_t start = site - VOTE_DISTANCE - voter, at = start;
        while (at < site) {
            struct insn insn;
            at += decode(image.bytes + at, image.size - at, &insn) ? insn.len : 1;
        }
        if (at == site) {
            arrived++;
            *from = start;
        }
    }
    return arrived * 10 >= VOTERS * 9;
}

/* The number in eax, when straight-line code in front of the site makes it a constant. */
static int32_t constant_number(struct image image, const struct surroundings *s, uint64_t site)
{
    uint32_t looked = 0;
    for (uint32_t i = s->count; i-- > 0 && looked < NUMBER_LOOK_BACK; looked++) {
        const uint8_t *p = image.bytes + s->at[i];
        if (s->insn[i].flags & (INSN_ENDS | INSN_CALLS) || jumped_into(s, s->at[i] + 1, site))
            return -1;
        int32_t number;
        if (p[0] == 0xb8 && s->insn[i].len == 5) { /* mov $n, %eax */
            __builtin_memcpy(&number, p + 1, 4);
            return number;
        }
        if (p[0] == 0x48 && p[1] == 0xc7 && p[2] == 0xc0) { /* mov $n, %rax */
            __builtin_memcpy(&number, p + 3, 4);
            return number;
        }
        if (p[0] == 0x31 && p[1] == 0xc0) /* xor %eax, %eax */
            return 0;
        /* Anything that may write rax otherwise ends the search: only well-known harmless forms pass. */
        bool harmless = (p[0] == 0x48 || p[0] == 0x49 || p[0] == 0x4c || p[0] == 0x4d || p[0] == 0x45 ||
                         p[0] == 0x44 || p[0] == 0x41) &&
                        (p[1] == 0x89 || p[1] == 0x31 || p[1] == 0x8d) && (p[2] & 0xc7) != 0xc0;
        harmless |= (p[0] == 0x89 || p[0] == 0x31) && (p[1] & 0xc7) != 0xc0;
        harmless |= p[0] >= 0xb9 && p[0] <= 0xbf;                 /* mov $n, %ecx..%edi */
        harmless |= p[0] == 0x41 && p[1] >= 0xb8 && p[1] <= 0xbf; /* mov $n, %r8d..%r15d */
        if (!harmless)
            return -1;
    }
    return -1;
}

/* Is it sure that this instruction leaves a 32-bit register (by its number) as it is? Only the few forms that
 * stand in the loops of _exit and of thread exit are known. */
static bool leaves_register(const uint8_t *p, const struct insn *insn, uint8_t reg)
{
    if (insn->flags & INSN_BRANCH)
        return true;
    uint32_t i = 0;
    while (i + 2 < insn->len && (p[i] == 0x64 || p[i] == 0x66 || p[i] == 0x2e || (p[i] & 0xf0) == 0x40))
        i++;
    bool to_memory = p[i + 1] < 0xc0;
    if ((p[i] == 0x89 && to_memory) || (p[i] == 0x0f && p[i + 1] == 0x1f)) /* mov to memory, nop */
        return true;
    if (i) /* a prefix may name another register: only cmp $n, %rax is known */
        return p[0] == 0x48 && p[1] == 0x3d;
    bool other_register = !to_memory && (p[1] & 7) != reg;
    switch (p[0]) {
    case 0x0f: return p[1] == 0x05; /* syscall changes rax, rcx and r11 */
    case 0x31:
    case 0x89: /* xor, mov into a register */ return other_register;
    case 0xf7: /* neg */ return other_register && (p[1] & 0x38) == 0x18;
    case 0x66: return p[1] == 0x90;
    case 0x90:
    case 0xf4:
    case 0x3d: /* nop, hlt, cmp $n, %eax */ return true;
    }
    return p[0] >= 0xb8 && p[0] <= 0xbf && p[0] != 0xb8 + reg; /* mov $n into another register */
}

/* The number when it was put into another register first and moves over right before the site, as in the exit
 * loops: `mov $60, %edx; again: xor %edi, %edi; mov %edx, %eax; syscall; jmp again`. It is constant when control
 * comes to the site only from that load or from within the run of instructions that leave the register alone. */
static int32_t number_through_register(struct image image, uint64_t from, uint64_t to, uint64_t site)
{
    const uint8_t *code = image.bytes;
    if (site - from < 2 || code[site - 2] != 0x89 || (code[site - 1] & 0xc7) != 0xc0)
        return -1;
    uint8_t reg = (code[site - 1] >> 3) & 7;
    struct insn insn;
    uint64_t load = 0, limit = 0;
    for (uint64_t at = from; at < to && decode(code + at, to - at, &insn); at += insn.len) {
        if (at < site && code[at] == 0xb8 + reg && insn.len == JUMP) {
            load = at;
            limit = at + insn.len;
        } else if (at == limit && leaves_register(code + at, &insn, reg)) {
            limit = at + insn.len;
        }
    }
    if (!load || limit <= site)
        return -1;
    for (uint64_t at = from; at < to && decode(code + at, to - at, &insn); at += insn.len) {
        uint64_t target = at + (uint64_t)insn.target;
        bool indirect = insn.flags & INSN_ENDS && code[at] == 0xff;
        bool enters = insn.flags & INSN_BRANCH && target > load && target <= site;
        if (indirect || (enters && (at < load || at >= limit)))
            return -1;
    }
    int32_t number;
    __builtin_memcpy(&number, code + load + 1, 4);
    return number;
}

static void classify(struct image image, uint64_t low, uint64_t high, uint64_t at, struct site *site)
{
    const uint8_t *p = image.bytes + at;
    *site = (struct site){.offset = at, .number = -1, .kind = SITE_NOT_A_SITE};
    if (at - low >= 7 && p[-7] == 0x48 && p[-6] == 0xc7 && p[-5] == 0xc0 && p[-4] == 15 && p[-3] == 0 &&
        p[-2] == 0 && p[-1] == 0) {
        site->kind = SITE_RETURN;
        site->number = 15;
        return;
    }
    uint64_t from, to;
    struct surroundings s = {.count = 0};
    if (image_function(image, at, &from, &to)) {
        if (!decode_function(image, from, to, at, &s)) {
            /* The bytes lie inside an instruction, or something before them is unknown to the decoder. A
             * number loaded right in front means the latter. */
            if (at - low < JUMP || p[-5] != 0xb8 || p[-3] > 3 || p[-2] || p[-1])
                return;
            site->kind = SITE_HARD;
            __builtin_memcpy(&site->number, p - 4, 4);
            return;
        }
    } else {
        to = at + VOTE_DISTANCE < high ? at + VOTE_DISTANCE : high;
        if (!vote(image, low, at, &from) || !decode_function(image, from, to, at, &s))
            return;
    }
    site->kind = SITE_HARD;
    site->number = constant_number(image, &s, at);
    if (site->number < 0)
        site->number = number_through_register(image, from, to, at);
    uint32_t window = 0;
    for (uint32_t i = s.count; i-- > 0 && window < JUMP;) {
        if (s.insn[i].flags & (INSN_BRANCH | INSN_ENDS | INSN_CALLS) || is_syscall(image.bytes + s.at[i]))
            return;
        window += s.insn[i].len;
    }
    if (window < JUMP || window > WINDOW_MAX || jumped_into(&s, at - window + 1, at))
        return;
    site->window = (uint8_t)window;
    site->kind = SITE_PATCHABLE;
}

#define EACH_BYTE 0x0101010101010101ull
#define HIGH_BITS 0x8080808080808080ull

static uint64_t has_zero_byte(uint64_t v)
{
    return (v - EACH_BYTE) & ~v & HIGH_BITS;
}

bool find_sites(struct image image, uint64_t from, uint64_t to,
                void (*each)(void *context, const struct site *site), void *context)
{
    if (!image_is_elf(image) || from > to || to > image.size)
        return false;
    for (uint64_t at = from; at + 1 < to;) {
        if (at + 9 <= to) { /* eight places at once */
            uint64_t first, second;
            __builtin_memcpy(&first, image.bytes + at, 8);
            __builtin_memcpy(&second, image.bytes + at + 1, 8);
            if (!has_zero_byte((first ^ EACH_BYTE * 0x0f) | (second ^ EACH_BYTE * 0x05))) {
                at += 8;
                continue;
            }
        }
        if (is_syscall(image.bytes + at)) {
            struct site site;
            classify(image, from, to, at, &site);
            if (site.kind != SITE_NOT_A_SITE)
                each(context, &site);
        }
        at++;
    }
    return true;
}
