/* Tests: tests/lab/fuzz/code.c. */
#include "operands.h"

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
