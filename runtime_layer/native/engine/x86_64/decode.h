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

/* What most instructions are, by opcode (one byte, or what follows 0f) and by ModRM byte. To decode one is then a matter of
 * three looks and hardly a branch, which is what counts where nothing was decoded before: a processor guesses at branches. */
struct usual {
    uint16_t by_opcode[512];
    uint8_t by_modrm[256];
};
enum {
    USUAL_LENGTH = 7, /* opcode and immediate; no entry: it is not usual */
    USUAL_MODRM = 8,
    USUAL_WIDE = 16,  /* longer with REX.W */
    USUAL_REL32 = 32, /* a branch by 32 bits, not by eight */
    USUAL_FLAGS = 8,  /* how far to the left the flags of `struct insn` are */
    USUAL_SIB = 64,   /* of a ModRM byte: the SIB byte may ask for four more */
    USUAL_READ = 32   /* so many bytes may be read */
};
void list_usual(struct usual *usual);

/* The same as decode, of USUAL_READ bytes or more, but for the displacement. A length of 0: it is not usual. */
static inline struct insn decode_usual(const struct usual *usual, const uint8_t *code)
{
    uint32_t in_front = (code[0] & 0xf0) == 0x40; /* REX */
    const uint8_t *opcode = code + in_front;
    uint32_t is = usual->by_opcode[*opcode];
    if (*opcode == 0x0f) {
        in_front++;
        is = usual->by_opcode[256 + *++opcode];
    }
    bool is_wide = is & USUAL_WIDE && in_front && code[0] & 8;
    if (!is || is_wide)
        return (struct insn){0};
    uint32_t modrm = usual->by_modrm[opcode[1]], behind = modrm & USUAL_LENGTH;
    behind += modrm & USUAL_SIB && (opcode[2] & 7) == 5 ? 4 : 0;
    uint32_t all = -(is / USUAL_MODRM & 1); /* a mask: all of it, or nothing */
    uint32_t len = in_front + (is & USUAL_LENGTH) + (behind & all);
    int32_t distance;
    __builtin_memcpy(&distance, opcode + 1, 4);
    distance = is & USUAL_REL32 ? distance : (int8_t)distance;
    uint32_t flags = is >> USUAL_FLAGS | (modrm & INSN_RIP & all);
    return (struct insn){(uint8_t)len, (uint8_t)flags, 0, (int64_t)distance + len};
}

/* Decodes at most `len` bytes. A length of 0: not an instruction this decoder knows, or it does not fit. */
struct insn decode(const uint8_t *code, uint64_t len);

#endif
