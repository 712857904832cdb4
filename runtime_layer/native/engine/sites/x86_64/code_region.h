/* Decodes and keeps a function, or a stretch of code, for the search of sites. */
#ifndef SHIELD_CODE_REGION_H
#define SHIELD_CODE_REGION_H

#include "../sites.h"
#include "decode.h"

enum {
    STEP_LOST = 128, /* a flag: no instruction begins here, as it is data or unknown */
    ALIGNMENT = 64   /* the largest alignment of a section, and so the longest padding of code */
};

/* Decoded code: one function, or a stretch around the site where no table has bounds (hand-written assembly, stripped tables).
 * It is kept, as most code holds several sites, and decoding is most of the cost. x86 code synchronises itself: from any
 * start, a decode soon arrives at the real instructions. Offsets are relative to `from`. */
enum { STEPS = 32768, BRANCHES = 16384 };
struct step {
    uint32_t at;
    uint8_t len, flags;
};
/* Limits of the search for branches from elsewhere (incoming_edges.c). */
enum {
    TABLES = 128,
    TABLE_MAX = 1 << 14, /* entries of a table */
    PARTS = 64,          /* functions that are searched once */
    FURTHER = 32,        /* parts of parts */
    SEARCH_MAX = 1 << 18 /* instructions of other functions, and entries of tables */
};
struct joined {
    bool has_edges;    /* incoming edges are included */
    bool is_disguised; /* a return, or a jump elsewhere, may lead in by a pointer */
    uint32_t left;     /* of SEARCH_MAX */
    uint32_t table_count, part_count, further_count;
    struct table {
        int64_t at;        /* relative to this code */
        uint64_t offset;   /* in the file */
        uint64_t from, to; /* the function that names it */
    } tables[TABLES];
    struct part {
        uint64_t from; /* the function */
        bool belongs;  /* it is a part of this one, by its branches */
    } parts[PARTS];
    struct further {
        uint64_t from, to;
    } further[FURTHER];
};
struct code {
    uint64_t from, to;
    uint32_t step_count, branch_count;
    uint64_t next; /* the end of the decoded part: the rest is decoded when needed */
    bool bounded;
    bool full;         /* too long: only a part is decoded */
    bool by_pointer;   /* it has jumps by a register or memory */
    bool calls_itself; /* at an inner instruction: such calls are among the branches */
    uint32_t entry;    /* of the function, in the table of functions */
    uint64_t taken;    /* the end of the last window with its instruction, in the file */
    struct joined joined;
    struct usual usual;
    struct step steps[STEPS];
    int64_t branches[BRANCHES + 1]; /* targets; the last slot is scratch, as every step writes one */
};
_Static_assert(sizeof(struct code) <= WORKSPACE, "a function must fit the workspace");

/* Begins at `from`, without decoding. */
void begin_code(uint64_t from, uint64_t to, bool bounded, struct code *c);
/* Decodes until `limit`; where that does not fit, keeps a stretch that ends behind `site`. */
void decode_until(struct image image, uint64_t limit, uint64_t site, struct code *c);
/* Decodes an instruction of any kind; STEP_LOST where none begins. */
struct insn take_rare_step(struct image image, const struct code *c, uint64_t at);
/* The step that begins at an offset; false when no decoded instruction begins there. */
bool find_step(const struct code *c, uint64_t offset, uint32_t *index);

static inline bool is_within(int64_t target, int64_t first, int64_t last)
{
    return (uint64_t)(target - first) <=
           (uint64_t)(last - first); /* one comparison, as every branch is tested */
}

/* Adds to a completely decoded function the branches that lead into it from elsewhere (incoming_edges.c). */
void add_incoming_edges(struct image image, struct code *c);

/* Whether a branch leads into [first, last]. */
static inline bool has_edge_into(const struct code *c, int64_t first, int64_t last)
{
    for (uint32_t i = 0; i < c->branch_count; i++)
        if (is_within(c->branches[i], first, last))
            return true;
    return c->full;
}

#endif
