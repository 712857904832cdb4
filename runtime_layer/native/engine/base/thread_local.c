#include "thread_local.h"

#include "../../core/text.h"

/* The linker writes the offset into the instruction, or into a word that the loader may fill (the ABI's models "local exec" and
 * "initial exec"; Drepper, "ELF Handling For Thread-Local Storage"). */
enum { CODE_LOOKED_AT = 64 };

static bool word_at(struct memory_reader *r, uint64_t at, int64_t *offset)
{
    return reader_read(r, offset, at, sizeof *offset);
}

#if defined(__x86_64__)
bool thread_local_offset(struct memory_reader *r, uint64_t code, int64_t *offset)
{
    static const uint8_t own[] = {0x64, 0x48, 0x8b, 0x04, 0x25}; /* mov %fs:offset, %rax */
    static const uint8_t kept[] = {0x48, 0x8b, 0x05};            /* mov word(%rip), %rax */
    static const uint8_t by_kept[] = {0x64, 0x48, 0x8b, 0x00};   /* mov %fs:(%rax), %rax */
    uint8_t bytes[CODE_LOOKED_AT];
    uint64_t word = 0;
    int32_t number;
    if (!reader_read(r, bytes, code, sizeof bytes))
        return false;
    for (uint32_t i = 0; i + 9 <= sizeof bytes; i++) {
        if (same_bytes(bytes + i, own, sizeof own)) {
            copy_bytes(&number, bytes + i + sizeof own, sizeof number);
            *offset = number;
            return true;
        }
        if (same_bytes(bytes + i, kept, sizeof kept)) {
            copy_bytes(&number, bytes + i + sizeof kept, sizeof number);
            word = code + i + sizeof kept + sizeof number + (uint64_t)(int64_t)number;
        }
        if (word && same_bytes(bytes + i, by_kept, sizeof by_kept))
            return word_at(r, word, offset);
    }
    return false;
}
#else
/* Arm Architecture Reference Manual, C6.2 */
enum { STACK_POINTER = 31 };
static const uint32_t RET = 0xd65f03c0;

static bool is_adrp(uint32_t code)
{
    return (code & 0x9f000000) == 0x90000000;
}

static uint64_t page_of_adrp(uint32_t code, uint64_t at)
{
    uint64_t pages = (uint64_t)(code >> 5 & 0x7ffff) << 2 | (code >> 29 & 3);
    return (at & ~0xfffull) + (uint64_t)((int64_t)(pages << 43) >> 31);
}

bool thread_local_offset(struct memory_reader *r, uint64_t code, int64_t *offset)
{
    uint32_t codes[CODE_LOOKED_AT / 4];
    uint64_t page = 0, word = 0;
    uint32_t page_register = STACK_POINTER;
    bool has_pointer = false, is_own = false;
    int64_t own = 0;
    if (!reader_read(r, codes, code, sizeof codes))
        return false;
    for (uint32_t i = 0; i < sizeof codes / sizeof *codes && codes[i] != RET; i++) {
        uint32_t c = codes[i], from = c >> 5 & 31;
        if (is_adrp(c)) {
            page = page_of_adrp(c, code + 4 * i);
            page_register = c & 31;
        }
        if ((c & 0xffc00000) == 0xf9400000 && page && from == page_register) /* ldr x, [x, #] */
            word = page + 8 * (c >> 10 & 0xfff);
        if ((c & 0xffffffe0) == 0xd53bd040) /* mrs x, tpidr_el0 */
            has_pointer = true;
        if ((c & 0xff800000) == 0x91000000 && has_pointer && from != STACK_POINTER) { /* add x, x, # */
            own += (int64_t)(c >> 10 & 0xfff) << (c >> 22 & 1 ? 12 : 0);
            is_own = true;
        }
    }
    *offset = own;
    return has_pointer && (is_own || (word && word_at(r, word, offset)));
}
#endif
