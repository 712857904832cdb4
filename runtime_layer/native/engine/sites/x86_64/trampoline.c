/* Writes trampolines on x86_64; their interface to the gate is in gate.S and gate_layout.h.
 * Tests: tests/security/cases/test_safety.py. */
#include "../../../core/text.h"
#include "../../base/gate_layout.h"
#include "../patch.h"
#include "decode.h"

bool is_system_call(uint64_t address)
{
    const uint8_t *p = (const uint8_t *)address;
    return p[0] == 0x0f && p[1] == 0x05;
}

uint64_t trampoline_reach(void)
{
    return 0x70000000; /* the reach of rel32, less the size of a mapping */
}

void instructions_changed(uint64_t from, uint64_t to)
{
    (void)from;
    (void)to; /* the instruction cache is coherent */
}

static bool fits32(int64_t v)
{
    return v == (int32_t)v;
}

/* Copies the window, and adjusts operands that are relative to the instruction pointer. */
static bool move_window(uint8_t *to, const uint8_t *from, uint32_t window)
{
    for (uint32_t done = 0; done < window;) {
        struct insn insn = decode(from + done, window - done);
        if (!insn.len)
            return false;
        copy_bytes(to + done, from + done, insn.len);
        if (insn.flags & INSN_RIP) {
            int32_t old;
            __builtin_memcpy(&old, from + done + insn.displacement, 4);
            int64_t moved = old + (int64_t)((uint64_t)from - (uint64_t)to);
            if (!fits32(moved))
                return false;
            int32_t narrow = (int32_t)moved;
            __builtin_memcpy(to + done + insn.displacement, &narrow, 4);
        }
        done += insn.len;
    }
    return true;
}

static uint8_t *put_bytes(uint8_t *at, const char *code, uint32_t n)
{
    copy_bytes(at, code, n);
    return at + n;
}

/* Writes a 32-bit displacement, relative to the end of the field. */
static uint8_t *put_relative32(uint8_t *at, uint64_t target)
{
    int32_t d = (int32_t)(target - ((uint64_t)at + 4));
    __builtin_memcpy(at, &d, 4);
    return at + 4;
}

/* Calls the gate directly where it is in reach, as the slot would be a further cache miss. */
static uint8_t *call_gate(uint8_t *p, uint64_t slot)
{
    uint64_t gate = *(const uint64_t *)slot;
    if (fits32((int64_t)(gate - ((uint64_t)p + 5))))
        return put_relative32(put_bytes(p, "\xe8", 1), gate); /* call gate */
    return put_relative32(put_bytes(p, "\xff\x15", 2), slot); /* call *slot(%rip) */
}

/* Writes the system-call instruction, then those behind it. */
static uint8_t *move_instruction(uint8_t *p, uint64_t address, uint32_t behind)
{
    p = put_bytes(p, "\xe3\x02", 2); /* jrcxz over the next jump */
    p = put_bytes(p, "\xeb\x02", 2); /* answered: over the instruction */
    p = put_bytes(p, "\x0f\x05", 2); /* syscall */
    if (!move_window(p, (const uint8_t *)(address + 2), behind - 2))
        return NULL;
    return put_relative32(put_bytes(p + behind - 2, "\xe9", 1), address + behind);
}

_Static_assert(RED_ZONE == 128, "two instructions below skip it");

uint32_t trampoline_write(uint8_t *at, uint64_t address, const struct site *site, uint64_t slot)
{
    if (!fits32((int64_t)(address - (uint64_t)at)) ||
        !move_window(at, (const uint8_t *)(address - site->window), site->window))
        return 0;
    uint8_t *p = at + site->window;
    p = put_bytes(p, "\x48\x8d\x64\x24\x80", 5); /* lea -128(%rsp), %rsp: past the red zone */
    p = put_relative32(put_bytes(p, "\x48\x8d\x0d", 3), address); /* lea site(%rip), %rcx */
    p = call_gate(p, slot);
    p = put_bytes(p, "\x48\x8d\xa4\x24\x80\x00\x00\x00", 8); /* lea 128(%rsp), %rsp */
    if (site->behind) {
        p = move_instruction(p, address, site->behind);
        return p ? (uint32_t)(p - at) : 0;
    }
    p = put_bytes(p, "\xe3\x05", 2);                          /* jrcxz over the next jump */
    p = put_relative32(put_bytes(p, "\xe9", 1), address + 2); /* answered: go on behind the instruction */
    p = put_relative32(put_bytes(p, "\xe9", 1), address);     /* in place */
    return (uint32_t)(p - at);
}

uint32_t encode_jump(uint8_t *out, uint64_t from, uint32_t window, uint64_t to)
{
    int64_t distance = (int64_t)(to - (from + 5));
    if (!fits32(distance) || window < 5)
        return 0;
    int32_t narrow = (int32_t)distance;
    out[0] = 0xe9;
    __builtin_memcpy(out + 1, &narrow, 4);
    return 5;
}

uint32_t encode_self_jump(uint8_t *out)
{
    out[0] = 0xeb;
    out[1] = 0xfe;
    return 2;
}

bool is_one_instruction(uint64_t from, uint32_t window)
{
    return decode((const uint8_t *)from, window).len == window;
}

uint32_t written_at_once(void)
{
    return 64; /* other processors see a store within one cache line at once */
}
