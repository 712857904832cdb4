/* Writes trampolines on aarch64; their interface to the gate is in gate.S and gate_layout.h.
 * Tests: tests/lab/arm64/test_engine.py. */
#include "../../base/gate_layout.h"
#include "../patch.h"

bool is_system_call(uint64_t address)
{
    return (*(const uint32_t *)address & 0xffe0001f) == 0xd4000001;
}

uint64_t trampoline_reach(void)
{
    return 0x7000000; /* b reaches 128 MB either way */
}

void instructions_changed(uint64_t from, uint64_t to)
{
    uint64_t sizes;
    __asm__("mrs %0, ctr_el0" : "=r"(sizes));
    uint64_t data_line = 4ull << ((sizes >> 16) & 0xf), code_line = 4ull << (sizes & 0xf);
    for (uint64_t at = from & ~(data_line - 1); at < to; at += data_line)
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
    for (uint64_t at = from & ~(code_line - 1); at < to; at += code_line)
        __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish\nisb" ::: "memory");
}

static uint32_t encode_branch(uint64_t from, uint64_t to)
{
    return 0x14000000u | (uint32_t)(((to - from) >> 2) & 0x3ffffff);
}

/* ldr reaches 1 MB in either direction; trampolines lie behind their slot. */
enum { SLOT_REACH = 1 << 20 };

_Static_assert(TRAMPOLINE_FRAME == 2 * 16, "two instructions below push it");

uint32_t trampoline_write(uint8_t *at, uint64_t address, const struct site *site, uint64_t slot)
{
    uint32_t *w = (uint32_t *)at;
    uint32_t n = 0;
    if (site->window)
        w[n++] = *(const uint32_t *)(address - 4); /* the word that the jump replaces */
    w[n++] = 0xa9bf7bf0;                           /* stp x16, x30, [sp, #-16]! */
    uint64_t here = (uint64_t)&w[n];
    if (here - slot > SLOT_REACH)
        return 0;
    w[n++] = 0x58000010u | (uint32_t)((((slot - here) >> 2) & 0x7ffff) << 5); /* ldr x16, slot */
    here = (uint64_t)&w[n];
    uint64_t pages = ((address >> 12) - (here >> 12)) & 0x1fffff;
    w[n++] = 0x9000001eu | (uint32_t)((pages & 3) << 29) |
             (uint32_t)(((pages >> 2) & 0x7ffff) << 5);        /* adrp x30 */
    w[n++] = 0x910003deu | (uint32_t)((address & 4095) << 10); /* add x30, x30, #lo12 */
    w[n++] = 0xf81f0ffe;                                       /* str x30, [sp, #-16]! */
    w[n++] = 0xd63f0200;                                       /* blr x16 */
    w[n++] = 0x910043ff;                                       /* add sp, sp, #16 */
    w[n++] = 0xb5000070 + (site->behind ? 0x20 : 0);           /* cbnz x16, answered */
    w[n++] = 0xa8c17bf0;                                       /* ldp x16, x30, [sp], #16 */
    if (site->behind)
        w[n++] = 0xd4000001; /* svc #0 */
    here = (uint64_t)&w[n];
    w[n++] = encode_branch(here, address + site->behind); /* in place, or back from here */
    w[n++] = 0xa8c17bf0;                                  /* answered: ldp x16, x30, [sp], #16 */
    here = (uint64_t)&w[n];
    w[n++] = encode_branch(here, address + 4);
    return n * 4;
}

uint32_t encode_jump(uint8_t *out, uint64_t from, uint32_t window, uint64_t to)
{
    int64_t distance = (int64_t)(to - from);
    if (window != 4 || distance > 0x7fffffc || distance < -0x8000000)
        return 0;
    uint32_t word = encode_branch(from, to);
    __builtin_memcpy(out, &word, 4);
    return 4;
}

uint32_t encode_self_jump(uint8_t *out)
{
    uint32_t word = encode_branch(0, 0);
    __builtin_memcpy(out, &word, 4);
    return 4;
}

bool is_one_instruction(uint64_t from, uint32_t window)
{
    (void)from;
    return window == 4;
}

uint32_t written_at_once(void)
{
    return 4; /* a word */
}
