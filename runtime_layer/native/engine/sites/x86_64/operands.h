/* Finds the registers of an instruction. */
#ifndef SHIELD_OPERANDS_H
#define SHIELD_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

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
