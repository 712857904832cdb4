/* Tests: tests/lab/fuzz/code.c. */
#include "code_region.h"

/* The number of zeroes from `at` to the next aligned section; 0: this is no padding. */
static uint32_t count_padding(const uint8_t *bytes, uint64_t at, uint64_t to)
{
    uint32_t n = 0;
    while (at + n < to && n < ALIGNMENT && !bytes[at + n])
        n++;
    return n < ALIGNMENT && (at + n) % 16 == 0 ? n : 0;
}

/* `00 00` decodes as `add %al, (%rax)`, which no compiler emits: outside known functions it is padding or a table. */
__attribute__((noinline)) struct insn take_rare_step(struct image image, const struct code *c, uint64_t at)
{
    const uint8_t *p = image.bytes + at;
    struct insn insn = decode(p, image.size - at);
    if (insn.len && insn.len <= c->to - at && (c->bounded || p[0] || p[1]))
        return insn;
    uint32_t zeroes = c->bounded ? 0 : count_padding(image.bytes, at, c->to);
    if (zeroes)
        return (struct insn){.len = (uint8_t)zeroes, .flags = INSN_ENDS};
    return (struct insn){.len = 1, .flags = STEP_LOST | INSN_ENDS};
}

/* A jump by a pointer is a rare step. */
static inline struct insn take_step(struct image image, struct code *c, uint64_t at)
{
    struct insn insn = {0};
    if (c->bounded && image.size - at >= USUAL_READ)
        insn = decode_usual(&c->usual, image.bytes + at);
    if (insn.len && insn.len <= c->to - at)
        return insn;
    insn = take_rare_step(image, c, at);
    c->by_pointer |= (insn.flags & (INSN_ENDS | INSN_BRANCH | STEP_LOST)) == INSN_ENDS;
    return insn;
}

void begin_code(uint64_t from, uint64_t to, bool bounded, struct code *c)
{
    c->from = c->next = from;
    c->to = to;
    c->step_count = c->branch_count = 0;
    c->bounded = bounded;
    c->full = c->joined.has_edges = c->by_pointer = c->calls_itself = false;
}

/* Keeps the position in registers, as the next instruction depends on it. */
void decode_until(struct image image, uint64_t limit, uint64_t site, struct code *c)
{
    uint64_t next = c->next, behind = c->bounded ? c->to - c->from - 1 : 0; /* its first byte */
    uint32_t steps = c->step_count, branches = c->branch_count, calls = 0;
    for (struct insn insn; next < limit; next += insn.len) {
        if (steps == STEPS || branches == BRANCHES) {
            c->full = true;
            if (next > site)
                break;
            c->from = next;
            steps = branches = 0;
        }
        uint32_t offset = (uint32_t)(next - c->from);
        insn = take_step(image, c, next);
        c->steps[steps++] = (struct step){offset, insn.len, insn.flags};
        int64_t target = offset + insn.target;
        c->branches[branches] = target;
        uint32_t calls_itself = insn.flags / INSN_CALLS & ((uint64_t)(target - 1) < behind);
        branches += (insn.flags & INSN_BRANCH) | calls_itself;
        calls |= calls_itself;
    }
    c->next = next;
    c->step_count = steps;
    c->branch_count = branches;
    c->calls_itself |= calls;
}

bool find_step(const struct code *c, uint64_t offset, uint32_t *index)
{
    uint32_t low = 0, high = c->step_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->steps[middle].at < offset)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < c->step_count && c->steps[low].at == offset;
}
