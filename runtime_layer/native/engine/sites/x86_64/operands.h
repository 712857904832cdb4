/* Which registers an instruction names, and whether it may write one. */
#ifndef SHIELD_OPERANDS_H
#define SHIELD_OPERANDS_H

#include "code_region.h"

/* One that may stand in front of any instruction; REX, the last of them, is another thing. */
bool is_prefix(uint8_t b);

/* An instruction taken apart as far as its registers go. */
struct parts {
    uint8_t op, op2; /* op2: after 0f */
    uint8_t extension;
    int8_t reg, rm;   /* rm: -1 for memory */
    int8_t low;       /* the register in the opcode's low bits */
    uint8_t operands; /* where the bytes behind the opcode begin */
};
struct parts take_apart(const uint8_t *p, uint32_t len);

enum { RAX = 0, RCX = 1, RSP = 4, R11 = 11 };
/* May this instruction write the register? Yes unless it is sure that it does not: only the forms that stand around
 * system calls are known. */
bool may_write(const uint8_t *p, const struct step *step, int8_t reg);

#endif
