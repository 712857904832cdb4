/* Finds branches into a function from elsewhere: from its cold part, which a compiler places elsewhere, and by the tables of its
 * switches.
 *
 * Measured worth: refusing each function with an indirect jump instead would refuse glibc 2.31, 2.36 and 2.41 themselves (8 to
 * 11 sites each), the loader of 2.36, and of 90 popular wheels and 45 npm packages with native code 3 each; refusing functions
 * with parts elsewhere, another 5 to 18 sites of each glibc. Tests: tests/lab/fuzz/code.c. */
#include "../elf_image.h"
#include "code_region.h"
#include "decode.h"

enum { GROUP = 0xff /* the opcode of jumps by a pointer, among others */ };

static bool is_inside(const struct code *c, int64_t target)
{
    return target >= 0 && (uint64_t)target < c->to - c->from;
}

static void add_edge(struct code *c, int64_t target)
{
    if (c->branch_count == BRANCHES)
        c->full = true;
    else
        c->branches[c->branch_count++] = target;
}

/* Counts a step of the search; false: the limit is reached, which compiled code does not. */
static __attribute__((noinline)) bool count_step(struct code *c)
{
    c->full |= c->joined.left == 0;
    c->joined.left -= !c->full;
    return !c->full;
}

/* Finds a function that was searched. */
static const struct part *find_part(const struct joined *j, uint64_t from)
{
    for (uint32_t i = 0; i < j->part_count && i < PARTS; i++)
        if (j->parts[i].from == from)
            return &j->parts[i];
    return NULL;
}

/* The target of a table's entry, relative to the function. False: the file ends. (Not inlined, to keep the library small.) */
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

static bool is_recorded(const struct joined *j, int64_t table)
{
    for (uint32_t i = 0; i < j->table_count; i++)
        if (j->tables[i].at == table)
            return true;
    return false;
}

/* Whether it may be a table of a switch with targets in this function. Entries before the function must lie in the function
 * that names the table, or, if that is this one, in its parts. */
static bool may_be_table(struct image image, struct code *c, const struct table *t)
{
    int64_t target;
    for (uint32_t i = 0; i < TABLE_MAX && count_step(c) && read_entry(image, t, i, &target); i++) {
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

/* Whether it is lea table(%rip), register. */
static bool names_address(const uint8_t *p, uint32_t len)
{
    enum { LENGTH = 7, PREFIX = 0xf8, REX_W = 0x48, LEA = 0x8d, ADDRESS = 0xc7, RIP = 5 };
    return len == LENGTH && (p[0] & PREFIX) == REX_W && p[1] == LEA && (p[2] & ADDRESS) == RIP;
}

/* Records the address in an instruction of the function [from, to), if it may be a table. */
static void record_table(struct image image, struct code *c, uint64_t at, uint32_t len, uint64_t from,
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
    if (is_recorded(j, t.at) || !image_offset_to_address(image, c->from, &begin) ||
        !image_address_to_offset(image, begin + (uint64_t)t.at, &t.offset) || !may_be_table(image, c, &t))
        return;
    if (j->table_count == TABLES)
        c->full = true;
    else
        j->tables[j->table_count++] = t;
}

/* Queues the function that a part branches to, by a branch to its inside or a conditional one. Other branches are calls. */
static void record_further_code(struct image image, struct code *c, uint64_t at, bool is_condition)
{
    struct joined *j = &c->joined;
    struct further f;
    uint32_t near = c->entry, i = 0;
    if (!image_function(image, at, &near, &f.from, &f.to) || (f.from == at && !is_condition))
        return;
    while (i < j->further_count && j->further[i].from != f.from)
        i++;
    if (i < j->further_count)
        return;
    if (i == FURTHER)
        c->full = true;
    else
        j->further[j->further_count++] = f;
}

/* Records the target of a branch or call in the part [from, to). A part that calls its own inside may return elsewhere. */
static void record_target(struct image image, struct code *c, uint64_t target, uint32_t flags, uint64_t from,
                          uint64_t to)
{
    bool branches = flags & INSN_BRANCH, stays = target >= from && target < to;
    if (is_inside(c, (int64_t)(target - c->from)) && (branches || target != c->from))
        add_edge(c, (int64_t)(target - c->from));
    else if (branches && !stays)
        record_further_code(image, c, target, !(flags & INSN_ENDS));
    else if (!branches && stays && target != from)
        c->joined.is_disguised = true;
}

/* Records the edges from the function [from, to) into this one: its branches and calls, the tables that it names, and other
 * parts. A jump by a pointer may be this one's, as compilers can move such jumps into a common function (retpolines). */
static void scan_function(struct image image, struct code *c, uint64_t from, uint64_t to)
{
    struct insn insn;
    for (uint64_t at = from; at < to && count_step(c); at += insn.len) {
        insn = decode(image.bytes + at, to - at);
        if (insn.flags & (INSN_BRANCH | INSN_CALLS))
            record_target(image, c, at + (uint64_t)insn.target, insn.flags, from, to);
        else if (insn.flags & INSN_ENDS)
            c->joined.is_disguised |= parse_operands(image.bytes + at, insn.len).op == GROUP;
        if (insn.flags & INSN_RIP)
            record_table(image, c, at, insn.len, from, to);
        insn.len += !insn.len; /* unknown: the decode soon synchronises */
    }
}

/* Joins the function that holds the target, if it is a part of this one: one branches to the other (`belongs`: this one to
 * it), or a table has its beginning as an entry. */
static bool join_part(struct image image, struct code *c, int64_t target, bool belongs)
{
    struct joined *j = &c->joined;
    uint64_t from, to;
    uint32_t near = c->entry, before = c->branch_count;
    if (!count_step(c) || !image_function(image, c->from + (uint64_t)target, &near, &from, &to) ||
        from == c->from)
        return false;
    belongs |= c->from + (uint64_t)target == from;
    const struct part *known = find_part(j, from);
    if (known)
        return belongs || known->belongs;
    scan_function(image, c, from, to);
    belongs |= c->branch_count > before;
    j->parts[j->part_count++ % PARTS] = (struct part){from, belongs};
    return belongs;
}

/* Adds the target of a table's entry. False: it is no target, and the table ends. */
static bool follow_entry(struct image image, struct code *c, const struct table *t, int64_t target)
{
    uint64_t at = c->from + (uint64_t)target;
    uint32_t index;
    if (at >= t->from && at < t->to && t->from != c->from)
        return true;
    if (!is_inside(c, target)) /* the function's end stands for missing cases, or a part begins there */
        return join_part(image, c, target, false) || at == t->to;
    if (!find_step(c, (uint64_t)target, &index))
        return false;
    add_edge(c, target);
    return true;
}

/* Whether a jump goes to a sum, as with a table of distances: add %rdx, %rax; jmp *%rax. */
static bool jumps_to_sum(const uint8_t *code, const struct code *c, uint32_t index)
{
    enum { LOOK_BACK = 4, ADD = 1, ADD_MEMORY = 3 };
    int8_t reg = parse_operands(code + c->steps[index].at, c->steps[index].len).rm;
    for (uint32_t i = index; i-- > 0 && index - i < LOOK_BACK && reg >= 0;) {
        struct parts t = parse_operands(code + c->steps[i].at, c->steps[i].len);
        if ((t.op == ADD && t.rm == reg) || (t.op == ADD_MEMORY && t.reg == reg))
            return true;
    }
    return false;
}

/* Whether it is movabs $distance, register, where 32 bits would suffice: so the medium and large memory models address far
 * data. */
static bool is_far(const uint8_t *p, uint32_t len)
{
    enum { LENGTH = 10, PREFIX = 0xf8, REX_W = 0x48, MOV = 0xb8 };
    int64_t distance;
    if (len != LENGTH || (p[0] & PREFIX) != REX_W || (p[1] & PREFIX) != MOV)
        return false;
    __builtin_memcpy(&distance, p + 2, sizeof distance);
    return distance == (int32_t)distance;
}

/* Records the tables of the function's switches; if one may be missing, the targets are unknown. */
static void record_tables(struct image image, struct code *c)
{
    const uint8_t *code = image.bytes + c->from;
    uint32_t before = c->joined.table_count;
    bool by_sum = false, is_table_far = false;
    for (uint32_t i = 0; i < c->step_count; i++) {
        const struct step *step = &c->steps[i];
        if (step->flags & INSN_RIP)
            record_table(image, c, c->from + step->at, step->len, c->from, c->to);
        is_table_far |= is_far(code + step->at, step->len);
        by_sum |= (step->flags & (INSN_ENDS | INSN_BRANCH | STEP_LOST)) == INSN_ENDS &&
                  parse_operands(code + step->at, step->len).op == GROUP && jumps_to_sum(code, c, i);
    }
    c->full |= by_sum && is_table_far && c->joined.table_count == before;
}

/* The number of entries before another table begins. */
static uint32_t entries_until_next(const struct joined *j, const struct table *t)
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

/* A switch's table holds 32-bit distances from its beginning. It ends where another begins, or at an entry that is no target.
 */
static void read_table(struct image image, struct code *c, const struct table *t)
{
    uint32_t entries = entries_until_next(&c->joined, t), i = 0;
    int64_t target;
    while (i < entries && !c->full && read_entry(image, t, i, &target) && follow_entry(image, c, t, target))
        i++;
    c->full |= i == TABLE_MAX;
}

void add_incoming_edges(struct image image, struct code *c)
{
    struct joined *j = &c->joined;
    if (j->has_edges || c->full)
        return;
    j->has_edges = true;
    j->is_disguised = c->calls_itself;
    j->table_count = j->part_count = j->further_count = 0;
    j->left = SEARCH_MAX;
    uint32_t own = c->bounded ? c->branch_count : 0, tables = 0, further = 0;
    for (uint32_t i = 0; i < own && !c->full; i++)
        if (!is_inside(c, c->branches[i]))
            join_part(image, c, c->branches[i], true);
    if (c->by_pointer || j->is_disguised)
        record_tables(image, c);
    while (tables < j->table_count || further < j->further_count) { /* a part may add to both */
        if (tables < j->table_count) {
            read_table(image, c, &j->tables[tables++]);
        } else {
            const struct further *f = &j->further[further++];
            if (f->from != c->from && !find_part(j, f->from))
                scan_function(image, c, f->from, f->to);
        }
    }
}
