/* Decodes the length, the branch target and the registers of an x86-64 instruction: the facts that patching needs. */
#ifndef SHIELD_DECODE_H
#define SHIELD_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    INSN_BRANCH = 1, /* relative: `target` is set */
    INSN_ENDS = 2,   /* control does not reach the next instruction */
    INSN_CALLS = 4,  /* a call of `target`, or by a pointer: NOWHERE */
    INSN_RIP = 8     /* has a rip-relative operand at `displacement` */
};

enum { NOWHERE = INT32_MIN };

struct insn {
    uint8_t len;
    uint8_t flags;
    uint8_t displacement; /* offset of the rip-relative displacement */
    int64_t target;       /* relative to the instruction's start */
};

/* Facts of the usual instructions, by opcode (one byte, or the one behind 0f) and by ModRM byte. They are decoded by table
 * look-ups with few branches, which are mispredicted in code that is decoded once. */
struct usual {
    uint16_t by_opcode[512];
    uint8_t by_modrm[256];
};
enum {
    USUAL_LENGTH = 7, /* of opcode and immediate; 0: it is not usual */
    USUAL_MODRM = 8,
    USUAL_WIDE = 16,  /* longer with REX.W */
    USUAL_REL32 = 32, /* a branch by 32 bits, not by eight */
    USUAL_FLAGS = 8,  /* the shift of the flags of `struct insn` */
    USUAL_SIB = 64,   /* of a ModRM byte: the SIB byte may need four more */
    USUAL_READ = 32   /* the number of bytes that may be read */
};
void list_usual(struct usual *usual);

/* Selects by a mask, without a branch, as a REX prefix cannot be predicted. */
static inline uint32_t either(uint32_t mask, uint32_t set, uint32_t clear)
{
    return clear ^ ((clear ^ set) & mask);
}

/* As decode, without `displacement`; at least USUAL_READ bytes must be readable. A length of 0: it is not usual. */
static inline struct insn decode_usual(const struct usual *usual, const uint8_t *code)
{
    uint32_t rex = -(uint32_t)((code[0] & 0xf0) == 0x40) /* a mask */, in_front = rex & 1;
    uint32_t facts = either(rex, usual->by_opcode[code[1]], usual->by_opcode[code[0]]);
    uint32_t modrm = either(rex, usual->by_modrm[code[2]], usual->by_modrm[code[1]]);
    uint32_t sib = either(rex, code[3], code[2]), wide = code[0] & rex;
    if (!facts && code[in_front] == 0x0f) {
        in_front++;
        facts = usual->by_opcode[256 + code[in_front]];
        modrm = usual->by_modrm[code[in_front + 1]];
        sib = code[in_front + 2];
    }
    if (!facts || (facts & USUAL_WIDE && wide & 8))
        return (struct insn){0};
    uint32_t behind = (modrm & USUAL_LENGTH) + ((modrm & USUAL_SIB) >> 4 & (uint32_t)((sib & 7) == 5) << 2);
    uint32_t all = -(facts / USUAL_MODRM & 1); /* a mask: all bits or none */
    uint32_t len = in_front + (facts & USUAL_LENGTH) + (behind & all);
    int32_t distance;
    __builtin_memcpy(&distance, code + in_front + 1, 4);
    distance = facts & USUAL_REL32 ? distance : (int8_t)distance;
    uint32_t flags = facts >> USUAL_FLAGS | (modrm & INSN_RIP & all);
    return (struct insn){(uint8_t)len, (uint8_t)flags, 0, (int64_t)distance + len};
}

/* Decodes at most `len` bytes. A length of 0: the instruction is unknown, or does not fit. */
struct insn decode(const uint8_t *code, uint64_t len);

/* Whether the byte is a prefix other than REX. */
bool is_prefix(uint8_t b);

/* The parts of an instruction that name registers. */
struct parts {
    uint8_t op;
    int8_t reg, rm;   /* rm: -1 for memory */
    int8_t low;       /* the register in the opcode's low bits */
    uint8_t operands; /* the offset of the bytes behind the opcode */
};
struct parts parse_operands(const uint8_t *p, uint32_t len);

enum { RAX = 0 };

#endif
