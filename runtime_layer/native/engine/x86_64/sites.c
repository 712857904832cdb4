/* Site discovery on x86_64: decode the function around each `0f 05`, then see what may move. */
#include "../sites.h"

#include "../../core/text.h"
#include "../elf_image.h"
#include "decode.h"

enum {
    JUMP = 5, /* jmp rel32 */
    NUMBER_LOOK_BACK = 12,
    VOTERS = 32,
    VOTE_DISTANCE = 288 /* how far before the site voting starts */
};

/* One decoded function: most hold more than one site, and decoding is what discovery costs. Offsets are relative
 * to `from`. */
enum { STEPS = 32768, BRANCHES = 16384 };
struct step {
    uint32_t at;
    uint8_t len, flags;
};
struct branch {
    uint32_t at;
    int64_t target;
};
struct function {
    uint64_t from, to;
    uint32_t step_count, branch_count;
    bool full; /* longer than what fits: nothing is sure about it */
    struct step steps[STEPS];
    struct branch branches[BRANCHES];
};
_Static_assert(sizeof(struct function) <= WORKSPACE, "a function must fit the workspace");

static bool is_syscall(const uint8_t *p)
{
    return p[0] == 0x0f && p[1] == 0x05;
}

static void decode_function(struct image image, uint64_t from, uint64_t to, struct function *f)
{
    if (f->from == from && f->to == to)
        return;
    f->from = from;
    f->to = to;
    f->step_count = f->branch_count = 0;
    f->full = false;
    struct insn insn;
    for (uint64_t at = from; at < to && decode(image.bytes + at, to - at, &insn); at += insn.len) {
        if (f->step_count == STEPS || f->branch_count == BRANCHES) {
            f->full = true;
            return;
        }
        uint32_t offset = (uint32_t)(at - from);
        f->steps[f->step_count++] = (struct step){offset, insn.len, insn.flags};
        if (insn.flags & INSN_BRANCH)
            f->branches[f->branch_count++] = (struct branch){offset, offset + insn.target};
    }
}

/* The step that begins at an offset; false when the decode does not arrive there as at an instruction. */
static bool find_step(const struct function *f, uint64_t offset, uint32_t *index)
{
    uint32_t low = 0, high = f->step_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (f->steps[middle].at < offset)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < f->step_count && f->steps[low].at == offset;
}

/* Does a branch of the function lead into [first, last]? */
static bool jumped_into(const struct function *f, int64_t first, int64_t last)
{
    for (uint32_t i = 0; i < f->branch_count; i++)
        if (f->branches[i].target >= first && f->branches[i].target <= last)
            return true;
    return f->full;
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

/* Is it sure that this instruction leaves rax as it is? Only the forms that load arguments are known. */
static bool leaves_rax(const uint8_t *p)
{
    bool rex = (p[0] & 0xf0) == 0x40;
    uint8_t op = rex ? p[1] : p[0], modrm = rex ? p[2] : p[1];
    bool high_reg = rex && (p[0] & 4), high_rm = rex && (p[0] & 1);
    switch (op) {
    case 0x89:
    case 0x31: /* mov, xor: the destination is the r/m operand */ return high_rm || (modrm & 0xc7) != 0xc0;
    case 0x8d: /* lea: the destination is the register operand */ return high_reg || (modrm & 0x38) != 0;
    }
    return op >= 0xb8 && op <= 0xbf && (high_rm || op != 0xb8); /* mov $n, register */
}

/* The number in eax, when straight-line code in front of the site makes it a constant. */
static int32_t constant_number(struct image image, const struct function *f, uint32_t index)
{
    int64_t site = f->steps[index].at;
    for (uint32_t looked = 0; index-- > 0 && looked < NUMBER_LOOK_BACK; looked++) {
        const struct step *step = &f->steps[index];
        const uint8_t *p = image.bytes + f->from + step->at;
        if (step->flags & (INSN_BRANCH | INSN_ENDS | INSN_CALLS))
            return -1;
        int32_t number;
        bool found = true;
        if (p[0] == 0xb8 && step->len == 5) /* mov $n, %eax */
            __builtin_memcpy(&number, p + 1, 4);
        else if (p[0] == 0x48 && p[1] == 0xc7 && p[2] == 0xc0) /* mov $n, %rax */
            __builtin_memcpy(&number, p + 3, 4);
        else if (p[0] == 0x31 && p[1] == 0xc0) /* xor %eax, %eax */
            number = 0;
        else
            found = false;
        if (found)
            return jumped_into(f, step->at + 1, site) ? -1 : number;
        if (!leaves_rax(p))
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
static int32_t number_through_register(struct image image, const struct function *f, uint32_t index)
{
    const uint8_t *code = image.bytes + f->from;
    int64_t site = f->steps[index].at;
    if (site < 2 || code[site - 2] != 0x89 || (code[site - 1] & 0xc7) != 0xc0 || f->full)
        return -1;
    uint8_t reg = (code[site - 1] >> 3) & 7;
    int64_t load = -1, limit = -1;
    for (uint32_t i = 0; i < f->step_count; i++) {
        const struct step *step = &f->steps[i];
        struct insn insn = {.len = step->len, .flags = step->flags};
        if (step->flags & INSN_ENDS && code[step->at] == 0xff)
            return -1; /* an indirect jump could lead anywhere */
        if (step->at < site && code[step->at] == 0xb8 + reg && step->len == JUMP)
            load = step->at, limit = step->at + step->len;
        else if (step->at == limit && leaves_register(code + step->at, &insn, reg))
            limit += step->len;
    }
    if (load < 0 || limit <= site)
        return -1;
    for (uint32_t i = 0; i < f->branch_count; i++) {
        const struct branch *b = &f->branches[i];
        if (b->target > load && b->target <= site && (b->at < load || b->at >= limit))
            return -1;
    }
    int32_t number;
    __builtin_memcpy(&number, code + load + 1, 4);
    return number;
}

static bool is_sigreturn(const uint8_t *p)
{
    static const uint8_t load[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0}; /* mov $15, %rax */
    return same_bytes(p - sizeof load, load, sizeof load);
}

/* How many bytes in front of the site can move away to make room for a jump; 0: not enough. */
static uint32_t movable(struct image image, const struct function *f, uint32_t index)
{
    int64_t site = f->steps[index].at;
    uint32_t window = 0;
    while (window < JUMP && index-- > 0) {
        const struct step *step = &f->steps[index];
        if (step->flags & (INSN_BRANCH | INSN_ENDS | INSN_CALLS) ||
            is_syscall(image.bytes + f->from + step->at))
            return 0;
        window += step->len;
    }
    bool fits = window >= JUMP && window <= WINDOW_MAX;
    return fits && !jumped_into(f, site - window + 1, site) ? window : 0;
}

static void classify(struct image image, uint64_t low, uint64_t high, uint64_t at, struct function *f,
                     struct site *site)
{
    const uint8_t *p = image.bytes + at;
    *site = (struct site){.offset = at, .number = -1, .kind = SITE_NOT_A_SITE};
    if (at - low >= 7 && is_sigreturn(p)) {
        site->kind = SITE_RETURN;
        site->number = 15;
        return;
    }
    uint64_t from, to;
    bool bounded = image_function(image, at, &from, &to);
    if (!bounded) {
        to = at + VOTE_DISTANCE < high ? at + VOTE_DISTANCE : high;
        if (!vote(image, low, at, &from))
            return;
    }
    decode_function(image, from, to, f);
    uint32_t index;
    if (!find_step(f, at - from, &index)) {
        /* The bytes lie inside an instruction, or something before them is unknown to the decoder. A number
         * loaded right in front means the latter, and a function that is too long may hold anything. */
        bool loaded = at - low >= JUMP && p[-5] == 0xb8 && p[-3] <= 3 && !p[-2] && !p[-1];
        if (f->full || (bounded && loaded))
            site->kind = SITE_HARD;
        return;
    }
    site->number = constant_number(image, f, index);
    if (site->number < 0)
        site->number = number_through_register(image, f, index);
    site->window = (uint8_t)movable(image, f, index);
    site->kind = site->window ? SITE_PATCHABLE : SITE_HARD;
}

#define EACH_BYTE 0x0101010101010101ull
#define HIGH_BITS 0x8080808080808080ull

static uint64_t has_zero_byte(uint64_t v)
{
    return (v - EACH_BYTE) & ~v & HIGH_BITS;
}

bool find_sites(struct image image, uint64_t from, uint64_t to, void *workspace,
                void (*each)(void *context, const struct site *site), void *context)
{
    struct function *f = workspace;
    f->from = f->to = 0;
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
            classify(image, from, to, at, f, &site);
            if (site.kind != SITE_NOT_A_SITE)
                each(context, &site);
        }
        at++;
    }
    return true;
}
