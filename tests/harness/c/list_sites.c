/* Prints the system-call sites that the engine's discovery finds in the executable segments of a file:
 *     offset number kind window behind
 * With --texts, what a process has of each segment comes first:
 *     text offset size hash
 * With --known, what the engine's table says of them instead, and nothing where it does not know them. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../runtime_layer/native/engine/sites/elf_image.h"
#include "../../../runtime_layer/native/engine/sites/known_texts.c" /* the hash is its own */

static _Alignas(16) char workspace[WORKSPACE];

static void print(void *context, const struct site *site)
{
    static const char *const kinds[] = {"patchable", "hard", "none", "return"};
    (void)context;
    printf("%lx %d %s %d %d\n", (unsigned long)site->offset, site->number, kinds[site->kind], site->window,
           site->behind);
}

enum { PAGE = 4096, TEXT_MAX = 1 << 25 };
static unsigned char text[TEXT_MAX]; /* with zeroes behind the file's end, as a mapping has */

static void list_segment(struct image image, const Elf64_Phdr *segment, const char *how)
{
    uint64_t from = segment->p_offset, to = from + segment->p_filesz;
    uint64_t low = from & ~(PAGE - 1ull), size = ((to + PAGE - 1) & ~(PAGE - 1ull)) - low;
    if (to > image.size || size > TEXT_MAX)
        return;
    memset(text, 0, size);
    memcpy(text, image.bytes + low, low + size < image.size ? size : image.size - low);
    if (!strcmp(how, "--known")) {
        find_sites_of_known_text(text, size, low, print, NULL);
        return;
    }
    if (!strcmp(how, "--texts"))
        printf("text %lx %lx %lx\n", (unsigned long)low, (unsigned long)size,
               (unsigned long)hash_text(text, size));
    find_sites(image, from, to, workspace, print, NULL);
}

int main(int argc, char **argv)
{
    int file = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    off_t size = file < 0 ? 0 : lseek(file, 0, SEEK_END);
    void *view = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    struct image image = {view, (uint64_t)size};
    if (view == MAP_FAILED || !image_is_elf(image))
        return 2;
    const Elf64_Ehdr *header = view;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)((const char *)view + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_flags & PF_X)
            list_segment(image, &segments[i], argc > 2 ? argv[2] : "");
    return 0;
}
