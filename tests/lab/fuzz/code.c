/* Site discovery over mutated code inside a sound ELF file, so that every rule about instructions is reached.
 * Input: how many functions there are, the length of each but the last, the code. */
#include "fuzz.h"

#include <elf.h>

#include "../../../runtime_layer/native/engine/sites/elf_image.h"
#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"
#include "sites.h"

enum { FUNCTIONS = 4, SEGMENTS = 2, FRAME = 16, TABLE_HEAD = 12, NONE_TO_SEE = -1 };

/* Everything of the file in front of its code. */
struct head {
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS];
    uint8_t table_head[TABLE_HEAD];
    int32_t table[FUNCTIONS][2]; /* start and frame of each function, from table_head on */
    uint8_t common[FRAME];
    uint32_t frames[FUNCTIONS][FRAME / 4]; /* length, distance to `common`, start, how long */
};

static void site_is_sound(const struct searched *s, const struct site *site)
{
    const uint8_t *p = s->image.bytes + site->offset;
    CHECK(p[0] == 0x0f && p[1] == 0x05 && site->offset >= sizeof(struct head));
    if (site->kind != SITE_PATCHABLE)
        return;
    CHECK(site->window + site->behind >= 5 && site->window + site->behind <= WINDOW_MAX);
    CHECK(site->offset - site->window >= sizeof(struct head));
    /* A number that is known stands right in front of the site. */
    CHECK(site->number <= 0 || !memcmp(p - sizeof site->number, &site->number, sizeof site->number));
}

static uint32_t distance(const void *from, const void *to)
{
    return (uint32_t)((const uint8_t *)to - (const uint8_t *)from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t table_head[TABLE_HEAD] = {1, 0, 0x03, 0x3b};
    struct input in = {data, size};
    uint32_t count = (uint32_t)take_number(&in, 1) % (FUNCTIONS + 1), lengths[FUNCTIONS] = {0};
    for (uint32_t i = 0; i + 1 < count; i++)
        lengths[i] = (uint32_t)take_number(&in, 1);
    uint64_t whole = sizeof(struct head) + in.left;
    uint8_t *file = room_take(whole, 8);
    struct head *h = (struct head *)file;
    memset(h, 0, sizeof *h);
    memcpy(h->header.e_ident, ELFMAG, SELFMAG);
    h->header.e_ident[EI_CLASS] = ELFCLASS64;
    h->header.e_phoff = offsetof(struct head, segments);
    h->header.e_phentsize = sizeof(Elf64_Phdr);
    h->header.e_phnum = SEGMENTS;
    h->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = whole};
    h->segments[1] = (Elf64_Phdr){.p_type = PT_GNU_EH_FRAME,
                                  .p_offset = offsetof(struct head, table_head),
                                  .p_vaddr = offsetof(struct head, table_head)};
    memcpy(h->table_head, table_head, sizeof table_head);
    memcpy(h->table_head + 8, &count, sizeof count);
    uint32_t start = sizeof *h;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = (uint32_t)whole - start;
        uint32_t length = i + 1 < count && lengths[i] < left ? lengths[i] : left;
        h->table[i][0] = (int32_t)(start - offsetof(struct head, table_head));
        h->table[i][1] = (int32_t)distance(h->table_head, h->frames[i]);
        h->frames[i][1] = distance(h->common, &h->frames[i][1]);
        h->frames[i][3] = length;
        start += length;
    }
    memcpy(file + sizeof *h, in.at, in.left);
    CHECK(search((struct image){file, whole}, 0, whole));
    room_give(file);
    return 0;
}
