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

enum {
    PARTS = 16,    /* that are not looked at twice */
    LONGEST = 4096 /* of what is looked at in each, in instructions: what a compiler moves away is short */
};
/* Other functions, among them the part of this one that is elsewhere. */
struct parts {
    uint32_t count;
    uint64_t from[PARTS];
};

static bool is_known(const struct parts *known, uint64_t from)
{
    for (uint32_t i = 0; i < known->count && i < PARTS; i++)
        if (known->from[i] == from)
            return true;
    return false;
}

/* What leads from the function that holds the target back into this one. */
static void join_part(struct image image, struct code *c, int64_t target, struct parts *known)
{
    uint64_t from, to;
    uint32_t near = c->entry, left = LONGEST;
    if (!image_function(image, c->from + (uint64_t)target, &near, &from, &to) || from == c->from ||
        is_known(known, from))
        return;
    known->from[known->count++ % PARTS] = from;
    struct insn insn;
    for (uint64_t at = from; at < to && left; at += insn.len, left--) {
        bool is_read = to - at >= USUAL_READ;
        insn = is_read ? decode_usual(&c->usual, image.bytes + at) : (struct insn){0};
        if (!insn.len)
            insn = decode(image.bytes + at, to - at);
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
    uint64_t begin; /* of the function; addresses, as these are */
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

/* Where the entry at `at` leads in the function; also to its end, which stands for cases that there are not. */
static bool find_case(struct image image, const struct code *c, uint64_t begin, uint64_t table, uint64_t at,
                      int64_t *target)
{
    uint64_t offset;
    int32_t distance;
    const uint8_t *entry =
        image_address_to_offset(image, at, &offset) ? image_at(image, offset, sizeof distance) : NULL;
    if (!entry)
        return false;
    __builtin_memcpy(&distance, entry, sizeof distance);
    *target = (int64_t)(table - begin) + distance;
    return is_inside(c, *target) || *target == (int64_t)(c->to - c->from);
}

/* ja or jbe */
static bool asks_for_above(const uint8_t *p, uint32_t len)
{
    return (len == 2 && (p[0] | 1) == 0x77) || (len == 6 && p[0] == 0x0f && (p[1] | 1) == 0x87);
}

/* cmp $number, register: the number; false: it is something else. */
static bool compares_with(const uint8_t *p, uint32_t len, uint32_t *number)
{
    const uint8_t *end = p + len;
    p += *p == 0x66;
    p += (*p & 0xf0) == 0x40 && p + 1 < end;        /* REX */
    bool is_register = end - p > 2 && p[1] >= 0xf8; /* mod 3, /7 */
    *number = end[-1];
    if (*p == 0x3c || (is_register && (*p == 0x80 || *p == 0x83)))
        return true;
    bool has_four_bytes = (*p == 0x3d && end - p == 5) || (is_register && *p == 0x81 && end - p == 6);
    if (has_four_bytes)
        __builtin_memcpy(number, end - sizeof *number, sizeof *number);
    return has_four_bytes;
}

/* How many cases a step checks for, as the last of the two in front of a switch's jump; 0: it is something else. */
static uint32_t cases_checked(struct image image, const struct code *c, uint32_t index)
{
    if (!index || c->steps[index - 1].len < 2)
        return 0;
    const struct step *jump = &c->steps[index], *compare = jump - 1;
    const uint8_t *code = image.bytes + c->from;
    uint32_t last;
    if (!asks_for_above(code + jump->at, jump->len) ||
        !compares_with(code + compare->at, compare->len, &last))
        return 0;
    return last < TABLE_MAX ? last + 1 : TABLE_MAX;
}

/* All that the function names, and how many cases it checks for at most. */
static uint32_t find_tables(struct image image, const struct code *c, struct tables *t)
{
    uint32_t most = 0;
    uint64_t table;
    int64_t target;
    for (uint32_t i = 0; i < c->step_count; i++) {
        uint32_t cases = cases_checked(image, c, i);
        most = cases > most ? cases : most;
        if (t->count < TABLES && names_table(image, c, &c->steps[i], &table) && !is_table(t, table) &&
            find_case(image, c, t->begin, table, table, &target))
            t->address[t->count++] = table;
    }
    return most ? most : TABLE_MAX;
}

/* The tables of switches hold distances from where they begin, of 32 bits. One ends where another begins, where what follows
 * leads elsewhere, or behind the most cases that the function checks for: what follows belongs to the next function. */
static void join_tables(struct image image, struct code *c)
{
    struct tables t = {0};
    if (!image_offset_to_address(image, c->from, &t.begin))
        return;
    uint32_t most = find_tables(image, c, &t);
    for (uint32_t i = 0; i < t.count; i++) {
        uint64_t table = t.address[i];
        int64_t target;
        for (uint64_t at = table; at - table < most * sizeof(int32_t) && !c->full; at += sizeof(int32_t)) {
            if ((at != table && is_table(&t, at)) || !find_case(image, c, t.begin, table, at, &target))
                break;
            add_arrival(c, target);
        }
    }
}

void join_arrivals(struct image image, struct code *c)
{
    if (!c->bounded || c->joined || c->full)
        return;
    c->joined = true;
    if (c->by_pointer)
        join_tables(image, c);
    struct parts known = {0};
    uint32_t own = c->branch_count;
    for (uint32_t i = 0; i < own && !c->full; i++)
        if (!is_inside(c, c->branches[i].target))
            join_part(image, c, c->branches[i].target, &known);
}
