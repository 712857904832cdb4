/* The registers of an instruction. */
#ifndef SHIELD_OPERANDS_H
#define SHIELD_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

/* A prefix of any instruction; REX, the last one, is none here. */
bool is_prefix(uint8_t b);

/* An instruction taken apart as far as its registers go. */
struct parts {
    uint8_t op;
    int8_t reg, rm;   /* rm: -1 for memory */
    int8_t low;       /* the register in the opcode's low bits */
    uint8_t operands; /* the offset of the bytes behind the opcode */
};
struct parts take_apart(const uint8_t *p, uint32_t len);

enum { RAX = 0 };

#endif
