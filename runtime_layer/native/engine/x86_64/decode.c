#include "decode.h"

/* One letter an opcode (Intel SDM volume 2, appendix A):
 *   '.' no operand bytes          'm' ModRM                 'b' imm8             'z' imm16/32
 *   'B' ModRM + imm8              'Z' ModRM + imm16/32      'v' imm16/32/64      'a' address-sized offset
 *   'w' imm16                     'e' imm16 + imm8          'j' rel8             'J' rel32
 *   'r' ends (ret, hlt, ...)      'R' ends, imm16           't' jmp rel8         'T' jmp rel32
 *   'C' call rel32                '3' ModRM, imm8 when /0 or /1                  '4' the same with imm16/32
 *   '5' ModRM, /2 /3 call, /4 /5 jump                       'p', 'x' a prefix, REX
 *   '!' not in 64-bit mode, or an escape handled before */
static const char one_byte[257] = "mmmmbz!!mmmmbz!!" /* 00: add, or */
                                  "mmmmbz!!mmmmbz!!"
                                  "mmmmbzp!mmmmbzp!"
                                  "mmmmbzp!mmmmbzp!"
                                  "xxxxxxxxxxxxxxxx"  /* 40: REX */
                                  "................"  /* 50: push, pop */
                                  "!!!mppppzZbB...."  /* 60 */
                                  "jjjjjjjjjjjjjjjj"  /* 70: jcc */
                                  "BZ!Bmmmmmmmmmmmm"  /* 80 */
                                  "..........!....."  /* 90 */
                                  "aaaa....bz......"  /* a0 */
                                  "bbbbbbbbvvvvvvvv"  /* b0: mov */
                                  "BBRr!!BZe.Rr.b!r"  /* c0 */
                                  "mmmm!!!.mmmmmmmm"  /* d0 */
                                  "jjjjbbbbCT!t...."  /* e0 */
                                  "p.ppr.34......m5"; /* f0 */

/* After 0f; the same letters, and 'u': ends (ud2). 38 and 3a lead to further maps. */
static const char two_byte[257] = "mmmm!.....!u!m.B" /* 00 */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmm!!!!mmmmmmmm" /* 20 */
                                  "......!.!!!!!!!!" /* 30 */
                                  "mmmmmmmmmmmmmmmm" /* 40: cmovcc */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"
                                  "BBBBmmm.mm!!mmmm" /* 70 */
                                  "JJJJJJJJJJJJJJJJ" /* 80: jcc */
                                  "mmmmmmmmmmmmmmmm" /* 90: setcc */
                                  "...mBmmm...mBmmm" /* a0; a6, a7: VIA's padlock */
                                  "mmmmmmmmmmBmmmmm" /* b0 */
                                  "mmBmBBBm........" /* c0 */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"; /* f0 */

struct cursor {
    const uint8_t *code;
    uint64_t len;
    uint64_t at;
};

static inline __attribute__((always_inline)) bool next(struct cursor *c, uint8_t *byte)
{
    if (c->at >= c->len)
        return false;
    *byte = c->code[c->at++];
    return true;
}

static inline __attribute__((always_inline)) bool modrm(struct cursor *c, struct insn *out, uint8_t *reg)
{
    uint8_t byte, sib = 0;
    if (!next(c, &byte))
        return false;
    uint8_t mod = byte >> 6, rm = byte & 7;
    *reg = (byte >> 3) & 7;
    if (mod == 3)
        return true;
    if (rm == 4 && !next(c, &sib))
        return false;
    if (mod == 0 && rm == 5) {
        out->flags |= INSN_RIP;
        out->displacement = (uint8_t)c->at;
        c->at += 4;
    } else if (mod == 0 && rm == 4 && (sib & 7) == 5) {
        c->at += 4;
    } else if (mod == 1) {
        c->at += 1;
    } else if (mod == 2) {
        c->at += 4;
    }
    return true;
}

/* VEX (c4, c5), EVEX (62) and AMD's XOP (8f): always ModRM; an immediate by map and opcode. */
static bool vector(struct cursor *c, uint8_t lead, struct insn *out)
{
    uint8_t byte, op, map = 1, reg;
    uint32_t payload = lead == 0xc5 ? 1 : lead == 0x62 ? 3 : 2;
    for (uint32_t i = 0; i < payload; i++) {
        if (!next(c, &byte))
            return false;
        if (i == 0 && lead != 0xc5)
            map = lead == 0x62 ? byte & 7 : byte & 0x1f;
    }
    if (!next(c, &op))
        return false;
    if (lead == 0x8f) {
        if (map > 10 || !modrm(c, out, &reg))
            return false;
        c->at += map == 8 ? 1 : map == 10 ? 4 : 0;
        return true;
    }
    if (map == 1 && op == 0x77 && lead != 0x62)
        return true; /* vzeroupper */
    if (map == 0 || map == 4 || map > 6 || !modrm(c, out, &reg))
        return false;
    bool immediate =
        map == 3 || (map == 1 && ((op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6)));
    c->at += immediate ? 1 : 0;
    return true;
}

static bool relative(struct cursor *c, uint32_t size, struct insn *out)
{
    if (c->len - c->at < size || c->at > c->len)
        return false;
    if (size == 1) {
        out->target = (int8_t)c->code[c->at];
    } else {
        int32_t d;
        __builtin_memcpy(&d, c->code + c->at, 4);
        out->target = d;
    }
    c->at += size;
    out->target += (int64_t)c->at;
    out->flags |= INSN_BRANCH;
    return true;
}

bool decode(const uint8_t *code, uint64_t len, struct insn *out)
{
    struct cursor c = {code, len < 15 ? len : 15, 0};
    bool operand16 = false, address32 = false, wide = false;
    uint8_t b, reg = 0;
    *out = (struct insn){0};
    do {
        if (!next(&c, &b))
            return false;
        operand16 |= b == 0x66;
        address32 |= b == 0x67;
    } while (one_byte[b] == 'p');
    if (one_byte[b] == 'x') {
        wide = b & 8;
        if (!next(&c, &b))
            return false;
    }
    char form;
    /* The map of XOP is 8 at least, where pop has a ModRM byte whose reg is 0. */
    bool xop = b == 0x8f && c.at < c.len && (code[c.at] & 0x1f) >= 8;
    if (b == 0xc5 || b == 0xc4 || b == 0x62 || xop) {
        if (!vector(&c, b, out))
            return false;
        form = '.';
    } else if (b == 0x0f) {
        if (!next(&c, &b))
            return false;
        if (b == 0x38 || b == 0x3a) {
            form = b == 0x38 ? 'm' : 'B';
            if (!next(&c, &b))
                return false;
        } else {
            form = two_byte[b];
        }
    } else {
        form = one_byte[b];
    }
    uint32_t z = operand16 ? 2 : 4;
    switch (form) {
    case '.': break;
    case 'm':
        if (!modrm(&c, out, &reg))
            return false;
        break;
    case 'b': c.at += 1; break;
    case 'z': c.at += z; break;
    case 'B':
        if (!modrm(&c, out, &reg))
            return false;
        c.at += 1;
        break;
    case 'Z':
        if (!modrm(&c, out, &reg))
            return false;
        if (b != 0xc7 || reg != 7)
            c.at += z;
        else if (operand16 || !relative(&c, 4, out)) /* xbegin: where to go when the transaction fails */
            return false;
        break;
    case 'v': c.at += wide ? 8 : z; break;
    case 'a': c.at += address32 ? 4 : 8; break;
    case 'w': c.at += 2; break;
    case 'e': c.at += 3; break;
    case 'j':
        if (!relative(&c, 1, out))
            return false;
        break;
    case 'J':
        if (!relative(&c, 4, out))
            return false;
        break;
    case 't':
        if (!relative(&c, 1, out))
            return false;
        out->flags |= INSN_ENDS;
        break;
    case 'T':
        if (!relative(&c, 4, out))
            return false;
        out->flags |= INSN_ENDS;
        break;
    case 'C':
        c.at += 4;
        out->flags |= INSN_CALLS;
        break;
    case 'r':
    case 'u': out->flags |= INSN_ENDS; break;
    case 'R':
        c.at += 2;
        out->flags |= INSN_ENDS;
        break;
    case '3':
        if (!modrm(&c, out, &reg))
            return false;
        c.at += reg < 2 ? 1 : 0;
        break;
    case '4':
        if (!modrm(&c, out, &reg))
            return false;
        c.at += reg < 2 ? z : 0;
        break;
    case '5':
        if (!modrm(&c, out, &reg))
            return false;
        if (reg == 2 || reg == 3)
            out->flags |= INSN_CALLS;
        if (reg == 4 || reg == 5)
            out->flags |= INSN_ENDS;
        break;
    default: return false;
    }
    if (c.at > c.len)
        return false;
    out->len = (uint8_t)c.at;
    return true;
}
