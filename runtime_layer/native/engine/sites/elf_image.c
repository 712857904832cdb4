/* Tests: tests/lab/fuzz/elf.c. */
#include "elf_image.h"

#include <linux/elf.h>

#include "../../core/text.h"

enum { PT_EH_FRAME = 0x6474e550, DYNAMIC_FLAGS = 30 /* DT_FLAGS */, DF_TEXTREL = 4 };
/* Program headers may lie at any offset of a file. */
typedef Elf64_Phdr program_header __attribute__((aligned(1)));
typedef Elf64_Shdr section_header __attribute__((aligned(1)));
/* DW_EH_PE encodings: the table of every linker in use is (datarel | sdata4), pointers (pcrel | sdata4). */
enum { TABLE_ENCODING = 0x3b, COUNT_ENCODING = 0x03 };

const uint8_t *image_at(struct image image, uint64_t offset, uint64_t n)
{
    if (offset > image.size || n > image.size - offset)
        return NULL;
    return image.bytes + offset;
}

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

bool image_is_elf(struct image image)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image_at(image, 0, sizeof *header);
    if (!header || u32_at(header->e_ident) != 0x464c457f || header->e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    return header->e_phentsize == sizeof(Elf64_Phdr) &&
           image_at(image, header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr));
}

static const program_header *find_segment(struct image image, uint32_t type, uint32_t *index)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image.bytes;
    const program_header *segments = (const program_header *)(image.bytes + header->e_phoff);
    for (; *index < header->e_phnum; ++*index)
        if (segments[*index].p_type == type)
            return &segments[(*index)++];
    return NULL;
}

uint64_t image_code_begin(struct image image, uint64_t from, uint64_t to)
{
    uint32_t i = 0;
    for (const program_header *s; image_is_elf(image) && (s = find_segment(image, PT_LOAD, &i));)
        if (s->p_flags & PF_X && s->p_offset > from && s->p_offset < to)
            return s->p_offset;
    return from;
}

enum { FIRST_PAGE = 4096 }; /* segments are mapped in whole pages */

uint64_t image_code_end(struct image image, uint64_t from, uint64_t to)
{
    uint32_t i = 0;
    uint64_t end = 0;
    for (const program_header *s; image_is_elf(image) && (s = find_segment(image, PT_LOAD, &i));)
        if (s->p_flags & PF_X && s->p_offset < from + FIRST_PAGE && s->p_filesz <= image.size &&
            s->p_offset + s->p_filesz > from && s->p_offset + s->p_filesz > end)
            end = s->p_offset + s->p_filesz;
    return end && end < to ? end : to;
}

bool image_has_code(struct image image, uint64_t from)
{
    uint32_t i = 0;
    for (const program_header *s; image_is_elf(image) && (s = find_segment(image, PT_LOAD, &i));)
        if (s->p_flags & PF_X && s->p_filesz <= image.size && s->p_offset < from + FIRST_PAGE &&
            s->p_offset + s->p_filesz > from)
            return true;
    return false;
}

bool image_is_go(struct image image)
{
    static const char owner[4] = "Go";
    uint32_t i = 0;
    for (const program_header *s; image_is_elf(image) && (s = find_segment(image, PT_NOTE, &i));) {
        /* Elf64_Nhdr: the sizes of the owner's name and of the description, the type; each part is aligned to 4. */
        uint64_t at = s->p_offset, end = at + s->p_filesz;
        for (const uint8_t *note; at < end && (note = image_at(image, at, 16));) {
            if (u32_at(note) == sizeof owner && u32_at(note + 12) == u32_at((const uint8_t *)owner))
                return true;
            at += 12 + (((uint64_t)u32_at(note) + 3) & ~3ull) + (((uint64_t)u32_at(note + 4) + 3) & ~3ull);
        }
    }
    return false;
}

bool image_has_text_relocations(struct image image)
{
    uint32_t i = 0;
    const program_header *s = image_is_elf(image) ? find_segment(image, PT_DYNAMIC, &i) : NULL;
    uint64_t at = s ? s->p_offset : 0, end = s ? at + s->p_filesz : 0, entry[2];
    for (const uint8_t *dynamic; at < end && (dynamic = image_at(image, at, sizeof entry));
         at += sizeof entry) {
        copy_bytes(entry, dynamic, sizeof entry);
        if (entry[0] == DT_TEXTREL || (entry[0] == DYNAMIC_FLAGS && entry[1] & DF_TEXTREL))
            return true;
    }
    return false;
}

bool image_offset_to_address(struct image image, uint64_t offset, uint64_t *address)
{
    uint32_t i = 0;
    for (const program_header *s; (s = find_segment(image, PT_LOAD, &i));)
        if (offset >= s->p_offset && offset - s->p_offset < s->p_filesz) {
            *address = s->p_vaddr + (offset - s->p_offset);
            return true;
        }
    return false;
}

bool image_address_to_offset(struct image image, uint64_t address, uint64_t *offset)
{
    uint32_t i = 0;
    for (const program_header *s; (s = find_segment(image, PT_LOAD, &i));)
        if (address >= s->p_vaddr && address - s->p_vaddr < s->p_filesz) {
            *offset = s->p_offset + (address - s->p_vaddr);
            return true;
        }
    return false;
}

static const uint8_t *at_address(struct image image, uint64_t address, uint64_t n)
{
    uint64_t offset;
    return image_address_to_offset(image, address, &offset) ? image_at(image, offset, n) : NULL;
}

enum { SECTIONS_MAX = 1024 };

bool image_is_data(struct image image, uint64_t offset)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image.bytes;
    const section_header *sections = (const section_header *)image_at(
        image, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr));
    if (!sections || !header->e_shoff || header->e_shentsize != sizeof(Elf64_Shdr) ||
        header->e_shnum > SECTIONS_MAX)
        return false;
    for (uint32_t i = 0; i < header->e_shnum; i++) {
        const section_header *s = &sections[i];
        if (s->sh_type != SHT_NOBITS && offset >= s->sh_offset && offset - s->sh_offset < s->sh_size)
            return !(s->sh_flags & SHF_EXECINSTR);
    }
    return false;
}

/* Whether the entry is that of x86_64's rt_sigreturn code, which begins one byte early for unwinders that search pc - 1.
 * That byte ends the padding, or is a nop. */
static bool begins_one_byte_early(struct image image, uint64_t start)
{
    static const uint8_t code[] = {0, 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}; /* mov $15, %rax; syscall */
    const uint8_t *at = at_address(image, start, sizeof code);
    return at && same_bytes(at, code, sizeof code);
}

/* The binary search table of .eh_frame_hdr. */
struct table {
    uint64_t base; /* entries are relative to it */
    const uint8_t *entries;
    uint32_t count;
};

static bool find_table(struct image image, struct table *t)
{
    uint32_t i = 0;
    const program_header *frames = find_segment(image, PT_EH_FRAME, &i);
    const uint8_t *header = frames ? image_at(image, frames->p_offset, 12) : NULL;
    if (!header || header[0] != 1 || header[2] != COUNT_ENCODING || header[3] != TABLE_ENCODING)
        return false;
    t->base = frames->p_vaddr;
    t->count = u32_at(header + 8);
    t->entries = image_at(image, frames->p_offset + 12, 8ull * t->count);
    return t->count && t->entries;
}

static uint64_t entry_start(const struct table *t, uint32_t index)
{
    return t->base + (uint64_t)(int64_t)(int32_t)u32_at(t->entries + 8ull * index);
}

/* The last entry that begins at the address or before it; else the first. The search starts at `near` in growing steps, as
 * callers ask in the order of a file. */
static uint32_t find_entry(const struct table *t, uint64_t address, uint32_t near)
{
    uint32_t low = near < t->count && entry_start(t, near) <= address ? near : 0, step = 1;
    while (step < t->count - low && entry_start(t, low + step) <= address) {
        low += step;
        step *= 2;
    }
    uint32_t high = step < t->count - low ? low + step : t->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_start(t, middle) <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The function of an entry, in addresses. */
static bool entry_function(struct image image, const struct table *t, uint32_t index, uint64_t *start,
                           uint64_t *end)
{
    uint64_t entry_address = t->base + (uint64_t)(int64_t)(int32_t)u32_at(t->entries + 8ull * index + 4);
    const uint8_t *entry = at_address(image, entry_address, 16);
    if (!entry)
        return false;
    *start = entry_start(t, index);
    *end = *start + u32_at(entry + 12);
    *start += begins_one_byte_early(image, *start);
    return *end - *start <= image.size;
}

bool image_function(struct image image, uint64_t offset, uint32_t *near, uint64_t *from, uint64_t *to)
{
    struct table t;
    uint64_t address, start, end;
    if (!find_table(image, &t) || !image_offset_to_address(image, offset, &address))
        return false;
    *near = find_entry(&t, address, *near);
    if (!entry_function(image, &t, *near, &start, &end) || start > address || address >= end ||
        !image_address_to_offset(image, start, from))
        return false;
    *to = *from + (end - start);
    return *to <= image.size;
}

void image_neighbours(struct image image, uint64_t offset, uint64_t *from, uint64_t *to)
{
    struct table t;
    uint64_t address, start, end, at;
    if (!find_table(image, &t) || !image_offset_to_address(image, offset, &address))
        return;
    uint32_t before = find_entry(&t, address, 0);
    if (entry_function(image, &t, before, &start, &end) && start <= address &&
        image_address_to_offset(image, start, &at) && at > *from && at <= offset)
        *from = at;
    if (before + 1 < t.count && entry_function(image, &t, before + 1, &start, &end) && start > address &&
        image_address_to_offset(image, start, &at) && at > offset && at + (end - start) < *to &&
        at + (end - start) > at)
        *to = at + (end - start);
}
