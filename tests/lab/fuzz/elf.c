/* Site discovery over a mutated ELF file: nothing outside the file is read, whatever its headers and tables say.
 * Input: the file. Compiled for each architecture's scanner. */
#include "sites.h"

#include <elf.h>

#include "../../../runtime_layer/native/engine/sites/elf_image.h"

#if SCANS_X86_64
#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"

static void site_is_sound(const struct searched *s, const struct site *site)
{
    const uint8_t *p = s->image.bytes + site->offset;
    CHECK(p[0] == 0x0f && p[1] == 0x05);
    if (site->kind != SITE_PATCHABLE)
        return;
    uint32_t moved = site->window + site->behind, at = 0;
    CHECK(moved >= 5 && moved <= WINDOW_MAX && site->window <= site->offset);
    CHECK(site->offset + site->behind <= s->image.size);
    /* What moves away is whole instructions, and the site begins one of them or ends the last. Only a return ends it. */
    bool seen = false;
    while (at < moved) {
        const uint8_t *code = p - site->window + at;
        struct insn insn = decode(code, moved - at);
        bool returns = code[0] == 0xc3 && at > site->window && at + insn.len == moved;
        CHECK(insn.len && (returns || !(insn.flags & (INSN_BRANCH | INSN_ENDS | INSN_CALLS))));
        seen |= at == site->window;
        at += insn.len;
    }
    CHECK(seen || at == site->window);
}
#else
static void site_is_sound(const struct searched *s, const struct site *site)
{
    uint32_t word;
    memcpy(&word, s->image.bytes + site->offset, sizeof word);
    CHECK((word & 0xffe0001f) == 0xd4000001 && site->offset % 4 == 0 && site->window + site->behind == 4);
    CHECK(!site->window || site->offset >= 4);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = aligned_copy(data, size, 8);
    struct image image = {copy, size};
    bool elf = image_is_elf(image);
    CHECK(search(image, 0, size) == elf);
    CHECK(!search(image, 1, 0) && !search(image, 0, size + 1));
    CHECK(elf || !image_has_text_relocations(image));
    Elf64_Ehdr header;
    if (elf) {
        memcpy(&header, copy, sizeof header);
        for (uint32_t i = 0; i < header.e_phnum && i < 16; i++) {
            Elf64_Phdr segment;
            memcpy(&segment, copy + header.e_phoff + i * sizeof segment, sizeof segment);
            uint64_t from, to;
            if (segment.p_type == PT_LOAD && segment.p_flags & PF_X)
                search(image, segment.p_offset, segment.p_offset + segment.p_filesz);
            for (uint32_t near = 0; near <= size; near += 1 + (uint32_t)size / 4) {
                uint32_t entry = near;
                if (image_function(image, segment.p_offset, &entry, &from, &to))
                    CHECK(from <= to && to <= size);
            }
        }
    }
    room_give(copy);
    return 0;
}
