#include "v8_layout.h"

static const struct v8_layout rows[] = {
    {/* Node.js 20 */
     .version = 0x0b03,
     .function_shared = 24,
     .shared_name = 16,
     .shared_script = 32,
     .bytecode_positions = 32,
     .bytecode_start = 54,
     .left_word = 48,
     .fast_word = 29,
     .scope_names = 32,
     .function = 2066,
     .shared = 262,
     .script = 167,
     .scope = 261,
     .bytecode = 191,
     .code = 245,
     .bytes = 190,
     .array = 175,
     .exits = {3, 25}},
    {/* Node.js 22 */
     .version = 0x0c04,
     .function_shared = 32,
     .shared_name = 16,
     .shared_script = 32,
     .bytecode_positions = 24,
     .bytecode_start = 64,
     .left_word = 34,
     .fast_word = 30,
     .scope_names = 32,
     .code_start = 40,
     .code_size = 52,
     .function = 2066,
     .shared = 274,
     .script = 167,
     .scope = 272,
     .bytecode = 205,
     .code = 206,
     .bytes = 212,
     .array = 174,
     .exits = {3, 26, 27}},
    {/* Node.js 24 */
     .version = 0x0d06,
     .function_shared = 32,
     .shared_name = 24,
     .shared_script = 40,
     .bytecode_positions = 24,
     .bytecode_start = 64,
     .left_word = 40,
     .fast_word = 37,
     .scope_names = 48,
     .code_start = 40,
     .code_size = 56,
     .function = 2065,
     .shared = 282,
     .script = 167,
     .scope = 280,
     .bytecode = 186,
     .code = 187,
     .bytes = 196,
     .array = 205,
     .exits = {3, 27, 28, 29}},
};

const struct v8_layout *v8_layout_of(uint32_t version)
{
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].version == version)
            return &rows[i];
    return NULL;
}

/* Of each bytecode in turn: in the low four bits the bytes of operands that a prefix makes wider, in the high ones those of the
 * others. Node.js 22 exports the sizes that this says, 24 has them without a name (V8's Bytecodes::kBytecodeSizes). */
static const uint8_t operands_12_4[] = {
    0,    0, 0, 0, 0, 1, 2, 3, 4, 0x22, 0x23, 1,    0,    1,    0,    0,    0,    0, 0,    1, 3, 3, 1,
    1,    1, 2, 1, 1, 1, 0, 0, 0, 0x10, 2,    2,    2,    3,    1,    3,    1,    1, 3,    3, 1, 3, 3,
    0x11, 3, 3, 2, 4, 2, 2, 3, 3, 3,    0x13, 3,    0x13, 2,    2,    2,    2,    2, 2,    2, 2, 2, 2,
    2,    2, 2, 2, 2, 2, 2, 2, 2, 2,    2,    2,    2,    2,    1,    1,    1,    1, 0,    0, 0, 1, 1,
    1,    3, 4, 4, 3, 4, 5, 4, 2, 3,    4,    4,    0x22, 0x23, 0x12, 0x12, 4,    4, 2,    2, 2, 2, 2,
    2,    2, 2, 2, 0, 1, 1, 1, 0, 0,    0x22, 0x12, 0,    1,    0x12, 0,    0x12, 2, 0x12, 1, 2, 2, 2,
    2,    0, 0, 0, 3, 1, 1, 1, 1, 1,    1,    1,    1,    1,    1,    1,    1,    1, 1,    1, 1, 1, 1,
    1,    1, 1, 1, 3, 1, 2, 2, 4, 1,    0,    0,    0,    0,    1,    0,    0,    1, 3,    4, 3, 3, 0,
    1,    1, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0,    0,    0,    0,    0, 0};
static const uint8_t operands_13_6[] = {
    0, 0, 0,    0, 0, 1, 2, 3, 4, 0x22, 0x23, 1, 0,    1,    0,    0,    0, 0,    0, 1, 3, 3, 3, 1,
    1, 1, 1,    2, 1, 1, 1, 0, 0, 0,    0x10, 2, 2,    2,    3,    1,    3, 1,    1, 3, 3, 3, 1, 3,
    3, 3, 0x11, 3, 3, 2, 4, 2, 2, 3,    3,    3, 0x13, 3,    0x13, 2,    2, 2,    2, 2, 2, 2, 2, 2,
    2, 2, 2,    2, 2, 2, 2, 2, 2, 2,    2,    2, 2,    2,    2,    1,    1, 1,    1, 0, 0, 1, 1, 1,
    1, 3, 4,    4, 3, 4, 5, 4, 2, 3,    4,    4, 0x22, 0x23, 0x12, 0x12, 4, 4,    2, 2, 2, 2, 2, 2,
    2, 2, 2,    0, 1, 1, 1, 0, 0, 0x22, 0x12, 0, 1,    0x12, 0,    0x12, 2, 0x12, 1, 2, 2, 2, 2, 0,
    0, 0, 3,    1, 1, 1, 1, 1, 1, 1,    1,    1, 1,    3,    1,    1,    1, 1,    1, 1, 1, 1, 1, 1,
    1, 1, 3,    3, 1, 2, 4, 1, 0, 0,    0,    0, 1,    0,    0,    1,    3, 4,    3, 3, 0, 1, 1, 0,
    0, 0, 0,    0, 0, 0, 0, 0, 0, 0,    0,    0, 0,    0,    0,    0};

uint32_t v8_bytecode_size(uint32_t version, uint8_t bytecode, uint32_t scale)
{
    uint8_t operands;
    if (version == 0x0c04 && bytecode < sizeof operands_12_4)
        operands = operands_12_4[bytecode];
    else if (version == 0x0d06 && bytecode < sizeof operands_13_6)
        operands = operands_13_6[bytecode];
    else
        return 0;
    return 1u + (operands >> 4) + (operands & 15u) * scale;
}
