#include "arrivals.h"

#include "../elf_image.h"

static bool is_inside(const struct code *c, int64_t target)
{
    return target >= 0 && (uint64_t)target < c->to - c->from;
}

static void add_arrival(struct code *c, int64_t target)
{
    if (c->branch_count == BRANCHES)
        c->full = true;
    else
        c->branches[c->branch_count++] = (struct branch){ELSEWHERE, target};
}

/* Another part of the function. */
struct part {
    uint64_t from, to;
};

/* The one that holds a target; false when there is none, or it is this one. */
static bool find_part(struct image image, const struct code *c, int64_t target, struct part *part)
{
    uint32_t near = c->entry;
    return image_function(image, c->from + (uint64_t)target, &near, &part->from, &part->to) &&
           part->from != c->from;
}

/* What leads from there back into this one. `left`: of all parts, how many instructions are looked at: what a compiler moves
 * away is short, and most others are functions that are called last. */
static void join_part(struct image image, struct code *c, const struct part *part, uint32_t *left)
{
    struct insn insn;
    for (uint64_t at = part->from; at < part->to; at += insn.len) {
        if (!*left)
            return;
        --*left;
        bool is_read = part->to - at >= USUAL_READ;
        insn = is_read ? decode_usual(&c->usual, image.bytes + at) : (struct insn){0};
        if (!insn.len)
            insn = decode(image.bytes + at, part->to - at);
        int64_t arrives = (int64_t)(at - c->from) + insn.target;
        if (insn.flags & INSN_BRANCH && is_inside(c, arrives))
            add_arrival(c, arrives);
        insn.len += !insn.len; /* unknown: the decode soon finds back */
    }
}

/* lea table(%rip), register: where that is. */
static bool names_table(struct image image, const struct code *c, const struct step *step, uint64_t *address)
{
    enum { LENGTH = 7, PREFIX = 0xf8, REX_W = 0x48, LEA = 0x8d, ADDRESS = 0xc7, RIP = 5 };
    const uint8_t *p = image.bytes + c->from + step->at;
    int32_t distance;
    if (step->len != LENGTH || (p[0] & PREFIX) != REX_W || p[1] != LEA || (p[2] & ADDRESS) != RIP ||
        !image_offset_to_address(image, c->from + step->at, address))
        return false;
    __builtin_memcpy(&distance, p + 3, sizeof distance);
    *address += (uint64_t)(LENGTH + (int64_t)distance);
    return true;
}

enum { TABLES = 64, TABLE_MAX = 4096 };
struct tables {
    uint32_t count;
    uint64_t address[TABLES];
};

static bool is_table(const struct tables *t, uint64_t address)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->address[i] == address)
            return true;
    return false;
}

/* The table of a switch holds distances from where it begins, of 32 bits. It ends where another begins, or where one leads
 * neither into the function nor into that one part of it which is elsewhere. */
static void join_table(struct image image, struct code *c, const struct tables *t, uint64_t table)
{
    struct part first = {0, 0}, part;
    for (uint64_t at = table; at - table < TABLE_MAX * sizeof(int32_t); at += sizeof(int32_t)) {
        uint64_t offset;
        int32_t distance;
        const uint8_t *entry =
            image_address_to_offset(image, at, &offset) ? image_at(image, offset, sizeof distance) : NULL;
        if (!entry || (at != table && is_table(t, at)))
            return;
        __builtin_memcpy(&distance, entry, sizeof distance);
        if (!image_address_to_offset(image, table + (uint64_t)(int64_t)distance, &offset))
            return;
        int64_t target = (int64_t)(offset - c->from);
        if (!is_inside(c, target)) {
            if (!find_part(image, c, target, &part) || (first.to && first.from != part.from))
                return;
            if (first.to)
                continue;
            first = part;
        }
        add_arrival(c, target);
    }
}

static void join_tables(struct image image, struct code *c)
{
    struct tables t = {0};
    for (uint32_t i = 0; i < c->step_count && t.count < TABLES; i++)
        if (names_table(image, c, &c->steps[i], &t.address[t.count]))
            t.count++;
    for (uint32_t i = 0; i < t.count; i++)
        join_table(image, c, &t, t.address[i]);
}

void join_arrivals(struct image image, struct code *c)
{
    uint32_t left = STEPS;
    if (!c->bounded || c->joined || c->full)
        return;
    c->joined = true;
    if (c->by_pointer)
        join_tables(image, c);
    struct part part, last = {0, 0};
    uint32_t known = c->branch_count;
    for (uint32_t i = 0; i < known && !c->full; i++) {
        int64_t target = c->branches[i].target;
        if (is_inside(c, target) || !find_part(image, c, target, &part) || part.from == last.from)
            continue;
        join_part(image, c, &part, &left);
        last = part;
    }
}
