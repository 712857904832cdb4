/* Prints the system-call sites that the engine's discovery finds in the executable segments of a file:
 *     offset number kind window behind */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../../runtime_layer/native/engine/sites/elf_image.h"
#include "../../../../runtime_layer/native/engine/sites/sites.h"

static _Alignas(16) char workspace[WORKSPACE];

static void print(void *context, const struct site *site)
{
    static const char *const kinds[] = {"patchable", "hard", "none", "return"};
    (void)context;
    printf("%lx %d %s %d %d\n", (unsigned long)site->offset, site->number, kinds[site->kind], site->window,
           site->behind);
}

static void list_segment(struct image image, const Elf64_Phdr *segment)
{
    uint64_t from = segment->p_offset, to = from + segment->p_filesz;
    if (to <= image.size)
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
            list_segment(image, &segments[i]);
    return 0;
}
