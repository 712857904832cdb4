/* The engine's two ways to decode, of every combination of REX prefix, opcode (one byte, or behind 0f), ModRM byte and base
 * of a SIB byte. Output: how many were compared, how many of them were usual, and the first that differs. */
#include <stdio.h>

#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"

enum { REX_PREFIXES = 17 /* and none */, OPCODES = 512, MODRM_BYTES = 256, BASES = 8 };

static uint32_t put_code(uint8_t *code, uint32_t rex, uint32_t opcode)
{
    uint32_t n = 0;
    if (rex)
        code[n++] = (uint8_t)(0x3f + rex);
    if (opcode >= 256)
        code[n++] = 0x0f;
    code[n++] = (uint8_t)opcode;
    return n;
}

static bool is_same(const struct insn *one, const struct insn *other)
{
    bool same_target = !(one->flags & (INSN_BRANCH | INSN_CALLS)) || one->target == other->target;
    return one->len == other->len && one->flags == other->flags && same_target;
}

int main(void)
{
    static struct usual table;
    unsigned long compared = 0, usual = 0;
    list_usual(&table);
    for (uint32_t i = 0; i < REX_PREFIXES * OPCODES; i++)
        for (uint32_t k = 0; k < MODRM_BYTES * BASES; k++) {
            uint8_t code[USUAL_READ];
            for (uint32_t at = 0; at < sizeof code; at++)
                code[at] = (uint8_t)(0x81 + 7 * at);
            uint32_t n = put_code(code, i % REX_PREFIXES, i / REX_PREFIXES);
            code[n] = (uint8_t)(k / BASES);
            code[n + 1] = (uint8_t)(k % BASES | 0x40);
            struct insn by_all = decode(code, sizeof code), by_table = decode_usual(&table, code);
            compared++;
            if (!by_table.len)
                continue;
            usual++;
            if (!is_same(&by_all, &by_table)) {
                printf("%lu %lu %02x %02x %02x %02x %02x\n", compared, usual, code[0], code[1], code[2],
                       code[3], code[4]);
                return 1;
            }
        }
    printf("%lu %lu\n", compared, usual);
    return 0;
}
