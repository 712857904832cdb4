#include "arrivals.h"

#include "../elf_image.h"
#include "registers.h"

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

/* One more look; false: that makes too many for any code that a compiler made. */
static __attribute__((noinline)) bool may_look(struct code *c)
{
    c->full |= c->joined.left == 0;
    c->joined.left -= !c->full;
    return !c->full;
}

/* Another function that was looked at. */
static const struct part *find_part(const struct joined *j, uint64_t from)
{
    for (uint32_t i = 0; i < j->part_count && i < PARTS; i++)
        if (j->parts[i].from == from)
            return &j->parts[i];
    return NULL;
}

/* Where an entry of a table leads, relative to the function. False: the file ends. (Not inlined: the library is small.) */
static __attribute__((noinline)) bool read_entry(struct image image, const struct table *t, uint32_t index,
                                                 int64_t *target)
{
    int32_t distance;
    const uint8_t *entry = image_at(image, t->offset + sizeof distance * index, sizeof distance);
    if (!entry)
        return false;
    __builtin_memcpy(&distance, entry, sizeof distance);
    *target = t->at + distance;
    return true;
}

static bool is_noted(const struct joined *j, int64_t table)
{
    for (uint32_t i = 0; i < j->table_count; i++)
        if (j->tables[i].at == table)
            return true;
    return false;
}

/* Does it look like the table of a switch by which control comes into this function? Where it leads in front of that is the
 * function that names it, and, if that is this one, its parts. */
static bool may_be_table(struct image image, struct code *c, const struct table *t)
{
    int64_t target;
    for (uint32_t i = 0; i < TABLE_MAX && may_look(c) && read_entry(image, t, i, &target); i++) {
        uint64_t at = c->from + (uint64_t)target, from, to;
        uint32_t near = c->entry;
        if (is_inside(c, target))
            return true;
        bool is_own = t->from == c->from ? image_function(image, at, &near, &from, &to) || at == c->to
                                         : at >= t->from && at <= t->to;
        if (!is_own)
            return false;
    }
    return false;
}

/* lea table(%rip), register */
static bool names_address(const uint8_t *p, uint32_t len)
{
    enum { LENGTH = 7, PREFIX = 0xf8, REX_W = 0x48, LEA = 0x8d, ADDRESS = 0xc7, RIP = 5 };
    return len == LENGTH && (p[0] & PREFIX) == REX_W && p[1] == LEA && (p[2] & ADDRESS) == RIP;
}

/* Notes what an instruction of the function [from, to) names, if that may be such a table. */
static void note_table(struct image image, struct code *c, uint64_t at, uint32_t len, uint64_t from,
                       uint64_t to)
{
    struct joined *j = &c->joined;
    struct table t = {.from = from, .to = to};
    int32_t distance;
    uint64_t begin;
    if (!names_address(image.bytes + at, len))
        return;
    __builtin_memcpy(&distance, image.bytes + at + len - sizeof distance, sizeof distance);
    t.at = (int64_t)(at + len - c->from) + distance;
    if (is_noted(j, t.at) || !image_offset_to_address(image, c->from, &begin) ||
        !image_address_to_offset(image, begin + (uint64_t)t.at, &t.offset) || !may_be_table(image, c, &t))
        return;
    if (j->table_count == TABLES)
        c->full = true;
    else
        j->tables[j->table_count++] = t;
}

/* What leads from the function [from, to) back into this one: its branches, and the tables that it names. */
static void look_through(struct image image, struct code *c, uint64_t from, uint64_t to)
{
    struct insn insn;
    for (uint64_t at = from; at < to && may_look(c); at += insn.len) {
        insn = decode(image.bytes + at, to - at);
        int64_t place = (int64_t)(at - c->from);
        if (insn.flags & INSN_BRANCH && is_inside(c, place + insn.target))
            add_arrival(c, place + insn.target);
        if (insn.flags & INSN_RIP)
            note_table(image, c, at, insn.len, from, to);
        insn.len += !insn.len; /* unknown: the decode soon finds back */
    }
}

/* Joins the function that holds the target. Is it a part of this one? It is when this one branches there (`belongs`), or it
 * back; a table that leads to where it begins is not read by mistake. */
static bool join_part(struct image image, struct code *c, int64_t target, bool belongs)
{
    struct joined *j = &c->joined;
    uint64_t from, to;
    uint32_t near = c->entry, had = c->branch_count;
    if (!may_look(c) || !image_function(image, c->from + (uint64_t)target, &near, &from, &to) ||
        from == c->from)
        return false;
    belongs |= c->from + (uint64_t)target == from;
    const struct part *known = find_part(j, from);
    if (known)
        return belongs || known->belongs;
    look_through(image, c, from, to);
    belongs |= c->branch_count > had;
    j->parts[j->part_count++ % PARTS] = (struct part){from, belongs};
    return belongs;
}

/* What an entry of a table leads to arrives. False: that makes no sense, and the table has ended. */
static bool follow(struct image image, struct code *c, const struct table *t, int64_t target)
{
    uint64_t at = c->from + (uint64_t)target;
    uint32_t index;
    if (at >= t->from && at < t->to && t->from != c->from)
        return true;
    if (!is_inside(c, target)) /* the end stands for cases that there are not, or a part begins there */
        return join_part(image, c, target, false) || at == t->to;
    if (!find_step(c, (uint64_t)target, &index))
        return false;
    add_arrival(c, target);
    return true;
}

/* movslq (table, index, 4), register: the index (RSP: there is none), or -1. */
static int8_t index_of_load(const uint8_t *p, const struct parts *t)
{
    enum { MOVSLQ = 0x63, SIB = 4, BY_FOUR = 2, REX_X = 2 };
    bool loads = t->op == MOVSLQ && t->rm < 0 && (p[t->operands] & 7) == SIB;
    uint8_t sib = loads ? p[t->operands + 1] : 0;
    int8_t index = (int8_t)((sib >> 3 & 7) | (p[0] & REX_X) << 2);
    return sib >> 6 == BY_FOUR ? index : -1;
}

/* mov %eax, %eax or movzx %al, %eax: the number stays what it is. */
static bool widens(const struct parts *t, int8_t reg)
{
    return t->reg == reg && t->rm == reg && ((t->op | 2) == 0x8b || (t->op == 0x0f && (t->op2 | 1) == 0xb7));
}

/* cmp $number, register, where the number is one byte: few switches have more cases. */
static bool compares(const uint8_t *p, uint32_t len, int8_t reg)
{
    struct parts t = take_apart(p, len);
    return (t.op == 0x3c && reg == RAX) ||
           ((t.op == 0x80 || t.op == 0x83) && t.extension == 7 && t.rm == reg);
}

/* How many cases there are at most by a switch's jump, where the number of the case is compared right in front of it:
 *     cmp $8, %al; ja default; movzbl %al, %eax; movslq (%rdx, %rax, 4), %rax; add %rdx, %rax; jmp *%rax
 * TABLE_MAX: that is not sure. */
static uint32_t cases_of_jump(struct image image, const struct code *c, uint32_t jump)
{
    enum { LOOK_BACK = 12 };
    const uint8_t *code = image.bytes + c->from;
    int8_t reg = -1;
    for (uint32_t i = jump; i-- > 1 && jump - i < LOOK_BACK;) {
        const struct step *step = &c->steps[i], *before = step - 1;
        struct parts t = take_apart(code + step->at, step->len);
        if (reg < 0) {
            reg = index_of_load(code + step->at, &t);
        } else if (t.op == 0x77 || (t.op == 0x0f && t.op2 == 0x87)) {
            bool is_sure = compares(code + before->at, before->len, reg) &&
                           !jumped_into(c, before->at + 1, c->steps[jump].at);
            return is_sure ? code[step->at - 1] + 1 : TABLE_MAX;
        } else if (step->flags & INSN_ENDS || (!widens(&t, reg) && may_write(code + step->at, step, reg))) {
            break;
        }
    }
    return TABLE_MAX;
}

/* jmp *register */
static bool jumps_by_register(const uint8_t *p, const struct step *step)
{
    enum { GROUP = 0xff, REGISTERS = 0xf8, JMP = 0xe0 };
    return step->flags & INSN_ENDS && step->len >= 2 && p[step->len - 2] == GROUP &&
           (p[step->len - 1] & REGISTERS) == JMP;
}

/* How many cases the switches of the function have at most. Notes their tables. */
static uint32_t note_tables(struct image image, struct code *c)
{
    const uint8_t *code = image.bytes + c->from;
    uint32_t most = 0;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct step *step = &c->steps[i];
        note_table(image, c, c->from + step->at, step->len, c->from, c->to);
        uint32_t cases = jumps_by_register(code + step->at, step) ? cases_of_jump(image, c, i) : 0;
        most = cases > most ? cases : most;
    }
    return most;
}

/* How many entries there are until another table begins. */
static uint32_t until_next(const struct joined *j, const struct table *t)
{
    enum { ENTRY = sizeof(int32_t) };
    uint64_t least = TABLE_MAX * ENTRY;
    for (uint32_t i = 0; i < j->table_count; i++) {
        uint64_t distance = (uint64_t)(j->tables[i].at - t->at);
        if (distance && distance < least && distance % ENTRY == 0)
            least = distance;
    }
    return (uint32_t)(least / ENTRY);
}

/* The tables of switches hold distances from where they begin, of 32 bits. One ends where another begins, where what follows
 * makes no sense, or behind the most cases that the function checks for: what follows belongs to the next function. */
static void read_table(struct image image, struct code *c, const struct table *t, uint32_t most)
{
    uint32_t entries = until_next(&c->joined, t), i = 0;
    entries = most < entries ? most : entries;
    int64_t target;
    while (i < entries && !c->full && read_entry(image, t, i, &target) && follow(image, c, t, target))
        i++;
    c->full |= i == TABLE_MAX;
}

void join_arrivals(struct image image, struct code *c)
{
    struct joined *j = &c->joined;
    if (j->is || c->full)
        return;
    j->is = true;
    j->table_count = j->part_count = 0;
    j->left = LOOKED_AT;
    uint32_t own = c->bounded ? c->branch_count : 0;
    for (uint32_t i = 0; i < own && !c->full; i++)
        if (!is_inside(c, c->branches[i].target))
            join_part(image, c, c->branches[i].target, true);
    uint32_t most = c->by_pointer ? note_tables(image, c) : 0;
    for (uint32_t i = 0; i < j->table_count; i++) /* the parts that a table leads to may have more of them */
        read_table(image, c, &j->tables[i], j->tables[i].from == c->from ? most : TABLE_MAX);
}
