/* Tests: tests/lab/fuzz/decoder.c, tests/lab/fuzz/code.c. */
#include "decode.h"

/* One letter an opcode (Intel SDM volume 2, appendix A):
 *   '.' no operand bytes          'm' ModRM                 'b' imm8             'z' imm16/32
 *   'B' ModRM + imm8              'Z' ModRM + imm16/32      'v' imm16/32/64      'a' address-sized offset
 *   'w' imm16                     'e' imm16 + imm8          'j' rel8             'J' rel32
 *   'r' ends (ret, hlt, ud2...)   'R' ends, imm16           't' jmp rel8         'T' jmp rel32
 *   'i' ModRM, imm8 twice behind a prefix
 *   'C' call rel32                '3' ModRM, imm8 when /0 or /1                  '4' the same with imm16/32
 *   '5' ModRM, /2 /3 call, /4 /5 jump                       '7' ModRM + imm16/32, /7 xbegin
 *   'p', 'x' a prefix, REX        '0', 'V', 'P' a further map, VEX or EVEX, XOP or pop
 *   '!' not in 64-bit mode */
static const char one_byte[257] = "mmmmbz!!mmmmbz!0" /* 00: add, or */
                                  "mmmmbz!!mmmmbz!!"
                                  "mmmmbzp!mmmmbzp!"
                                  "mmmmbzp!mmmmbzp!"
                                  "xxxxxxxxxxxxxxxx"  /* 40: REX */
                                  "................"  /* 50: push, pop */
                                  "!!VmppppzZbB...."  /* 60 */
                                  "jjjjjjjjjjjjjjjj"  /* 70: jcc */
                                  "BZ!BmmmmmmmmmmmP"  /* 80 */
                                  "..........!....."  /* 90 */
                                  "aaaa....bz......"  /* a0 */
                                  "bbbbbbbbvvvvvvvv"  /* b0: mov */
                                  "BBRrVVB7e.Rr.b!r"  /* c0 */
                                  "mmmm!!!.mmmmmmmm"  /* d0 */
                                  "jjjjbbbbCT!t...."  /* e0 */
                                  "p.ppr.34......m5"; /* f0 */

/* After 0f; the same letters. 38 and 3a lead to further maps. */
static const char two_byte[257] = "mmmm!.....!r!m.B" /* 00 */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmm!!!!mmmmmmmm" /* 20 */
                                  "......!.!!!!!!!!" /* 30 */
                                  "mmmmmmmmmmmmmmmm" /* 40: cmovcc */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"
                                  "BBBBmmm.im!!mmmm" /* 70 */
                                  "JJJJJJJJJJJJJJJJ" /* 80: jcc */
                                  "mmmmmmmmmmmmmmmm" /* 90: setcc */
                                  "...mBmmm...mBmmm" /* a0; a6, a7: VIA's padlock */
                                  "mmmmmmmmmmBmmmmm" /* b0 */
                                  "mmBmBBBm........" /* c0 */
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"
                                  "mmmmmmmmmmmmmmmm"; /* f0 */

/* The meaning of a letter. Decoding is most of the cost of a search, and a table is faster than branches. */
enum {
    MODRM = 1,
    ENDS = INSN_ENDS,
    CALLS = INSN_CALLS, /* and rel32 */
    IMM8 = 8,
    IMM_Z = 16,
    REL8 = 32,
    REL32 = 64,
    RARE = 128 /* decoded by decode_rare */
};
static const uint8_t traits[128] = {
    ['m'] = MODRM, ['b'] = IMM8,         ['z'] = IMM_Z,        ['B'] = MODRM | IMM8, ['Z'] = MODRM | IMM_Z,
    ['v'] = RARE,  ['a'] = RARE,         ['w'] = RARE,         ['e'] = RARE,         ['j'] = REL8,
    ['J'] = REL32, ['r'] = ENDS,         ['R'] = ENDS | RARE,  ['t'] = REL8 | ENDS,  ['T'] = REL32 | ENDS,
    ['C'] = CALLS, ['3'] = MODRM | RARE, ['4'] = MODRM | RARE, ['5'] = MODRM | RARE, ['7'] = MODRM | RARE,
    ['!'] = RARE,  ['p'] = RARE,         ['x'] = RARE,         ['i'] = MODRM | RARE,
};

/* The number of bytes of SIB and displacement, by mod and rm of a ModRM byte. */
static const uint8_t behind_modrm[32] = {0, 0, 0, 0, 1, 4, 0, 0, 1, 1, 1, 1, 2, 1, 1, 1,
                                         4, 4, 4, 4, 5, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0};

static uint32_t address_of(uint32_t modrm)
{
    return (modrm >> 3 & 0x18) | (modrm & 7);
}

static uint16_t usual_of(char form)
{
    uint32_t facts = traits[(uint8_t)form], len = 1;
    if (form == '0' || form == 'V' || form == 'P' || (facts & RARE && form != 'v'))
        return 0;
    len += facts & (IMM8 | REL8) ? 1 : 0;
    len += facts & (IMM_Z | REL32 | CALLS) || form == 'v' ? 4 : 0;
    uint32_t flags = (facts & (ENDS | CALLS)) | (facts & (REL8 | REL32) ? INSN_BRANCH : 0);
    return (uint16_t)(len | (facts & MODRM ? USUAL_MODRM : 0) | (facts & (REL32 | CALLS) ? USUAL_REL32 : 0) |
                      (form == 'v' ? USUAL_WIDE : 0) | flags << USUAL_FLAGS);
}

void list_usual(struct usual *usual)
{
    for (uint32_t b = 0; b < 256; b++) {
        bool leads_on = b == 0x38 || b == 0x3a;
        uint32_t address = address_of(b);
        usual->by_opcode[b] = usual_of(one_byte[b]);
        usual->by_opcode[256 + b] = leads_on ? 0 : usual_of(two_byte[b]);
        usual->by_modrm[b] = (uint8_t)(1 + behind_modrm[address]) | (address == 4 ? USUAL_SIB : 0) |
                             (address == 5 ? INSN_RIP : 0);
    }
}

enum { LONGEST = 15, ENOUGH = 32 /* longer than any combination of prefixes and operands */ };

struct cursor {
    const uint8_t *code;
    uint32_t at;
    uint32_t flags;
    uint32_t displacement;
    int64_t target;
};

/* Reads ModRM, SIB and displacement, and returns ModRM's reg field. */
static inline __attribute__((always_inline)) uint8_t modrm(struct cursor *c)
{
    uint32_t byte = c->code[c->at++], address = address_of(byte);
    if (address == 5) {
        c->flags |= INSN_RIP;
        c->displacement = c->at;
    }
    if (address == 4 && (c->code[c->at] & 7) == 5)
        c->at += 4;
    c->at += behind_modrm[address];
    return byte >> 3 & 7;
}

/* Decodes VEX (c4, c5), EVEX (62) and AMD's XOP (8f): always with ModRM; with an immediate by map and opcode. */
static __attribute__((noinline)) bool decode_vector(struct cursor *c, uint8_t lead)
{
    uint32_t payload = lead == 0xc5 ? 1 : lead == 0x62 ? 3 : 2;
    uint8_t first = c->code[c->at], op = c->code[c->at + payload];
    uint8_t map = lead == 0xc5 ? 1 : first & (lead == 0x62 ? 7 : 0x1f);
    c->at += payload + 1;
    if (lead == 0x8f) {
        if (map > 10)
            return false;
        modrm(c);
        c->at += map == 8 ? 1 : map == 10 ? 4 : 0;
        return true;
    }
    if (map == 1 && op == 0x77 && lead != 0x62)
        return true; /* vzeroupper */
    if (map == 0 || map == 4 || map > 6)
        return false;
    modrm(c);
    bool immediate =
        map == 3 || (map == 1 && ((op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6)));
    c->at += immediate ? 1 : 0;
    return true;
}

static inline __attribute__((always_inline)) void relative(struct cursor *c, uint32_t size)
{
    int32_t distance = (int8_t)c->code[c->at];
    if (size == 4)
        __builtin_memcpy(&distance, c->code + c->at, 4);
    c->at += size;
    c->target = (int64_t)distance + c->at;
}

struct sizes {
    bool operand16, address32, wide, prefixed;
};

/* Decodes the rest of an instruction with one of the rare letters. */
static __attribute__((noinline)) bool decode_rare(struct cursor *c, char form, struct sizes sizes,
                                                  uint8_t reg)
{
    uint32_t z = sizes.operand16 ? 2 : 4;
    switch (form) {
    case 'v': c->at += sizes.wide ? 8 : z; return true;
    case 'a': c->at += sizes.address32 ? 4 : 8; return true;
    case 'w':
    case 'R': c->at += 2; return true;
    case 'e': c->at += 3; return true;
    case 'i': c->at += sizes.prefixed ? 2 : 0; return true; /* extrq, insertq; else vmread */
    case '3': c->at += reg < 2 ? 1 : 0; return true;
    case '4': c->at += reg < 2 ? z : 0; return true;
    case '5':
        c->flags |= reg == 2 || reg == 3 ? INSN_CALLS : reg == 4 || reg == 5 ? INSN_ENDS : 0;
        c->target = NOWHERE;
        return true;
    case '7':
        if (reg != 7)
            c->at += z;
        else if (!sizes.operand16) { /* xbegin: the target of a failed transaction */
            relative(c, 4);
            c->flags |= INSN_BRANCH;
        }
        return reg != 7 || !sizes.operand16;
    }
    return false;
}

struct insn decode(const uint8_t *code, uint64_t len)
{
    static const struct insn unknown = {0};
    uint8_t end[ENOUGH];
    if (len < ENOUGH) { /* padded with zeroes, as the reads below are not checked */
        for (uint32_t i = 0; i < ENOUGH; i++)
            end[i] = i < len ? code[i] : 0;
        code = end;
    }
    struct cursor c = {code, 0, 0, 0, 0};
    struct sizes sizes = {false, false, false, false};
    uint8_t b = code[c.at++], reg = 0;
    char form = one_byte[b];
    for (; form == 'p'; form = one_byte[b]) {
        if (c.at == LONGEST)
            return unknown;
        sizes.operand16 |= b == 0x66;
        sizes.prefixed |= b == 0x66 || b == 0xf2;
        sizes.address32 |= b == 0x67;
        b = code[c.at++];
    }
    if (form == 'x') {
        sizes.wide = b & 8;
        sizes.operand16 &= !sizes.wide;
        b = code[c.at++];
        form = one_byte[b];
    }
    if (form == '0') {
        b = code[c.at++];
        form = b == 0x38 ? 'm' : b == 0x3a ? 'B' : two_byte[b];
        c.at += b == 0x38 || b == 0x3a;
    }
    /* XOP's map is at least 8; in pop, the same bits are a ModRM byte with reg 0. */
    if (form == 'P')
        form = (code[c.at] & 0x1f) >= 8 ? 'V' : 'm';
    if (form == 'V') {
        struct cursor v = c;
        if (!decode_vector(&v, b))
            return unknown;
        c = v;
        form = '.';
    }
    uint32_t facts = traits[(uint8_t)form];
    if (sizes.operand16 && facts & (REL32 | CALLS)) /* 16 bits on AMD's processors, 32 on Intel's */
        return unknown;
    if (facts & MODRM)
        reg = modrm(&c);
    if (facts & (IMM8 | IMM_Z))
        c.at += facts & IMM8 ? 1 : sizes.operand16 ? 2 : 4;
    if (facts & (REL8 | REL32 | CALLS))
        relative(&c, facts & REL8 ? 1 : 4);
    c.flags |= (facts & (ENDS | CALLS)) | (facts & (REL8 | REL32) ? INSN_BRANCH : 0);
    if (facts & RARE) {
        struct cursor r = c;
        if (!decode_rare(&r, form, sizes, reg))
            return unknown;
        c = r;
    }
    if (c.at > LONGEST || c.at > len)
        return unknown;
    return (struct insn){(uint8_t)c.at, (uint8_t)c.flags, (uint8_t)c.displacement, c.target};
}

bool is_prefix(uint8_t b)
{
    bool is_segment = (b & 0xe7) == 0x26 || (b & 0xfe) == 0x64, is_size = (b & 0xfe) == 0x66;
    return is_segment || is_size || b == 0xf0 || (b & 0xfe) == 0xf2;
}

struct parts parse_operands(const uint8_t *p, uint32_t len)
{
    struct parts t = {0};
    uint32_t i = 0;
    uint8_t rex = 0;
    while (i + 1 < len && is_prefix(p[i]))
        i++;
    if (i + 1 < len && (p[i] & 0xf0) == 0x40)
        rex = p[i++];
    t.op = p[i++];
    if (t.op == 0x0f && i < len) /* two bytes */
        i++;
    uint8_t modrm = i < len ? p[i] : 0;
    t.operands = (uint8_t)i;
    t.reg = (int8_t)((modrm >> 3 & 7) | (rex & 4) << 1);
    t.rm = modrm >= 0xc0 ? (int8_t)((modrm & 7) | (rex & 1) << 3) : -1;
    t.low = (int8_t)((t.op & 7) | (rex & 1) << 3);
    return t;
}
