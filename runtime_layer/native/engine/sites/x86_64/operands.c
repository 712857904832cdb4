#include "operands.h"

bool is_prefix(uint8_t b)
{
    bool is_segment = (b & 0xe7) == 0x26 || (b & 0xfe) == 0x64, is_size = (b & 0xfe) == 0x66;
    return is_segment || is_size || b == 0xf0 || (b & 0xfe) == 0xf2;
}

struct parts take_apart(const uint8_t *p, uint32_t len)
{
    struct parts t = {0};
    uint32_t i = 0;
    uint8_t rex = 0;
    while (i + 1 < len && is_prefix(p[i]))
        i++;
    if (i + 1 < len && (p[i] & 0xf0) == 0x40)
        rex = p[i++];
    t.op = p[i++];
    if (t.op == 0x0f && i < len)
        t.op2 = p[i++];
    uint8_t modrm = i < len ? p[i] : 0;
    t.operands = (uint8_t)i;
    t.extension = (modrm >> 3) & 7;
    t.reg = (int8_t)(t.extension | (rex & 4) << 1);
    t.rm = modrm >= 0xc0 ? (int8_t)((modrm & 7) | (rex & 1) << 3) : -1;
    t.low = (int8_t)((t.op & 7) | (rex & 1) << 3);
    return t;
}

bool may_write(const uint8_t *p, const struct step *step, int8_t reg)
{
    struct parts t = take_apart(p, step->len);
    if (step->flags & (INSN_CALLS | STEP_LOST))
        return true;
    if (step->flags & INSN_BRANCH)
        return reg == RCX || t.op == 0xc7; /* loop, xbegin */
    switch (t.op) {
    case 0x01:
    case 0x09:
    case 0x21:
    case 0x29:
    case 0x31:
    case 0x89:
    case 0xc1:
    case 0xc7:
    case 0xd1: /* arithmetic, mov and shifts: the destination is r/m */ return t.rm == reg;
    case 0x03:
    case 0x0b:
    case 0x23:
    case 0x2b:
    case 0x33:
    case 0x63:
    case 0x8b:
    case 0x8d: /* arithmetic, movslq, mov, lea: it is the register */ return t.reg == reg;
    case 0x39:
    case 0x3b:
    case 0x3c:
    case 0x3d:
    case 0x84:
    case 0x85:
    case 0xf4: /* cmp, test, hlt */ return false;
    case 0x90: /* nop, or xchg */ return t.low != 0;
    case 0x80:
    case 0xc6:
    case 0xf6:
    case 0x88: /* for bytes only writes to memory and cmp are known; mul and div write %ax */
        return (t.op == 0xf6 && t.extension > 3) || (t.rm >= 0 && !(t.op == 0x80 && t.extension == 7));
    case 0x81:
    case 0x83: /* /7 is cmp */ return t.extension != 7 && t.rm == reg;
    case 0xf7: /* test, test, not, neg, and then mul and div */
        return t.extension > 3 || (t.extension > 1 && t.rm == reg);
    case 0x0f:
        if (t.op2 == 0x05)
            return reg == RAX || reg == RCX || reg == R11;
        if (t.op2 == 0x1e || t.op2 == 0x1f) /* endbr, nop; rdssp has a register */
            return t.op2 == 0x1e && t.extension == 1 && t.rm == reg;
        bool known = (t.op2 & 0xf0) == 0x40 || (t.op2 & 0xf6) == 0xb6; /* cmov, movzx, movsx */
        return !known || t.reg == reg;
    }
    if (t.op >= 0xb8 && t.op <= 0xbf) /* mov $n, register */
        return t.low == reg;
    if (t.op >= 0x50 && t.op <= 0x57) /* push */
        return reg == RSP;
    return true;
}
