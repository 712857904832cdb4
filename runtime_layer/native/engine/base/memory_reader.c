/* Another thread can change the bytes after the read. An object without a GNU hash table has no exports here.
 * Tests: tests/lab/fuzz/frames.c. */
#include "memory_reader.h"

#include <linux/elf.h>

#include "../../core/text.h"
#include "user_memory.h"

#if defined(__x86_64__)
enum { ADDRESS_BITS = 47 };
#else
enum { ADDRESS_BITS = 48 };
#endif
enum { NOT_TRIED = -1, NOT_THERE = -2 };

void reader_begin(struct memory_reader *r, bool shared)
{
    fill_bytes(r, 0, sizeof *r);
    r->file = NOT_TRIED;
    r->shared = shared;
}

void reader_end(struct memory_reader *r)
{
    if (r->file >= 0)
        KERNEL(close, r->file);
}

static bool is_address(uint64_t from, uint64_t n)
{
    return from >= PAGE && from < 1ull << ADDRESS_BITS && n && n <= PAGE;
}

static bool answers(struct memory_reader *r, uint64_t page)
{
    for (uint32_t i = 0; i < READER_PAGES; i++)
        if (r->pages[i] == page)
            return true;
    if (!readable(page))
        return false;
    r->pages[r->next++ % READER_PAGES] = page;
    return true;
}

bool reader_read(struct memory_reader *r, void *to, uint64_t from, uint64_t n)
{
    if (!is_address(from, n))
        return false;
    for (uint64_t page = page_down(from); page < from + n; page += PAGE)
        if (!answers(r, page))
            return false;
    copy_bytes(to, (const void *)from, n);
    return true;
}

uint64_t reader_word(struct memory_reader *r, uint64_t at)
{
    uint64_t value = 0;
    return reader_read(r, &value, at, sizeof value) ? value : 0;
}

bool reader_copy(struct memory_reader *r, void *to, uint64_t from, uint64_t n)
{
    if (r->shared && r->file == NOT_TRIED) {
        int64_t file = KERNEL(openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0);
        r->file = is_error(file) ? NOT_THERE : (int32_t)file;
    }
    if (r->file < 0)
        return reader_read(r, to, from, n);
    return is_address(from, n) && KERNEL(pread64, r->file, to, n, from) == (int64_t)n;
}

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
