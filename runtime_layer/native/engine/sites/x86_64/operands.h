/* The registers of an instruction, and whether it may write one. */
#ifndef SHIELD_OPERANDS_H
#define SHIELD_OPERANDS_H

#include "code_region.h"

/* A prefix of any instruction; REX, the last one, is none here. */
bool is_prefix(uint8_t b);

/* An instruction taken apart as far as its registers go. */
struct parts {
    uint8_t op, op2; /* op2: after 0f */
    uint8_t extension;
    int8_t reg, rm;   /* rm: -1 for memory */
    int8_t low;       /* the register in the opcode's low bits */
    uint8_t operands; /* the offset of the bytes behind the opcode */
};
struct parts take_apart(const uint8_t *p, uint32_t len);

enum { RAX = 0, RCX = 1, RSP = 4, R11 = 11 };
/* May this instruction write the register? True unless it surely does not: only the forms around system calls are known. */
bool may_write(const uint8_t *p, const struct step *step, int8_t reg);

#endif
