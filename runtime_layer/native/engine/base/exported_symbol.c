/* An object without that table has no exports here. Tests: tests/lab/fuzz/frames.c. */
#include "exported_symbol.h"

#include <linux/elf.h>

#include "../../core/text.h"

#ifndef DT_GNU_HASH
#define DT_GNU_HASH 0x6ffffef5
#endif
enum { SEGMENTS_MAX = 64, DYNAMIC_MAX = 128, CHAIN_MAX = 4096, NAME_MAX_HERE = 64 };

/* Finds an object's first loaded segment and its dynamic section, as file addresses. */
static bool find_segments(struct memory_reader *r, uint64_t base, uint64_t *first, Elf64_Phdr *dynamic)
{
    Elf64_Ehdr header;
    bool found = false, has_dynamic = false;
    if (!reader_copy(r, &header, base, sizeof header) || !same_bytes(header.e_ident, ELFMAG, SELFMAG) ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (uint32_t i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        Elf64_Phdr segment;
        if (!reader_copy(r, &segment, base + header.e_phoff + i * sizeof segment, sizeof segment))
            return false;
        if (segment.p_type == PT_LOAD && !found) {
            *first = segment.p_vaddr - segment.p_offset;
            found = true;
        }
        if (segment.p_type == PT_DYNAMIC) {
            *dynamic = segment;
            has_dynamic = true;
        }
    }
    return found && has_dynamic;
}

bool exports_of(struct memory_reader *r, uint64_t base, struct exports *e)
{
    uint64_t first;
    Elf64_Phdr dynamic;
    *e = (struct exports){0};
    if (!find_segments(r, base, &first, &dynamic))
        return false;
    e->bias = base - first;
    for (uint32_t i = 0; i < dynamic.p_memsz / sizeof(Elf64_Dyn) && i < DYNAMIC_MAX; i++) {
        Elf64_Dyn entry;
        if (!reader_copy(r, &entry, e->bias + dynamic.p_vaddr + i * sizeof entry, sizeof entry) ||
            entry.d_tag == DT_NULL)
            break;
        /* glibc's loader relocates these entries in place, musl's does not. */
        uint64_t address = entry.d_un.d_ptr >= e->bias ? entry.d_un.d_ptr : entry.d_un.d_ptr + e->bias;
        if (entry.d_tag == DT_STRTAB)
            e->strings = address;
        if (entry.d_tag == DT_SYMTAB)
            e->symbols = address;
        if (entry.d_tag == DT_GNU_HASH)
            e->hash = address;
    }
    return e->strings && e->symbols && e->hash;
}

static bool is_named(struct memory_reader *r, uint64_t at, struct text name)
{
    char text[NAME_MAX_HERE];
    return name.len < sizeof text && reader_copy(r, text, at, name.len + 1) && !text[name.len] &&
           same_bytes(text, name.at, name.len);
}

uint64_t exported_symbol(struct memory_reader *r, const struct exports *e, const char *name)
{
    struct text wanted = text_of(name);
    uint32_t head[4], hash = 5381, index, chained; /* Bernstein's hash */
    for (uint32_t i = 0; i < wanted.len; i++)
        hash = hash * 33 + (uint8_t)wanted.at[i];
    /* The number of buckets, the first hashed symbol, the words of a filter that is skipped. */
    if (!reader_copy(r, head, e->hash, sizeof head) || !head[0])
        return 0;
    uint64_t buckets = e->hash + sizeof head + 8ull * head[2], chains = buckets + 4ull * head[0];
    if (!reader_copy(r, &index, buckets + 4ull * (hash % head[0]), sizeof index) || index < head[1])
        return 0;
    for (uint32_t i = 0; i < CHAIN_MAX; i++, index++) {
        Elf64_Sym symbol;
        if (!reader_copy(r, &chained, chains + 4ull * (index - head[1]), sizeof chained))
            return 0;
        if ((chained | 1) == (hash | 1) &&
            reader_copy(r, &symbol, e->symbols + index * sizeof symbol, sizeof symbol) && symbol.st_shndx &&
            is_named(r, e->strings + symbol.st_name, wanted))
            return e->bias + symbol.st_value;
        if (chained & 1) /* the last symbol of its bucket */
            return 0;
    }
    return 0;
}
