/* How long an x86-64 instruction is, and where it goes. Only what patching needs. */
#ifndef SHIELD_DECODE_H
#define SHIELD_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    INSN_BRANCH = 1, /* relative: `target` is set */
    INSN_ENDS = 2,   /* control does not go on to the next instruction */
    INSN_CALLS = 4,
    INSN_RIP = 8 /* has a rip-relative operand at `displacement` */
};

struct insn {
    uint8_t len;
    uint8_t flags;
    uint8_t displacement; /* offset of the rip-relative displacement */
    int64_t target;       /* relative to the instruction's start */
};

/* Decodes at most `len` bytes. A length of 0: not an instruction this decoder knows, or it does not fit. */
struct insn decode(const uint8_t *code, uint64_t len);

#endif
