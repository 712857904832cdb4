/* Reads ELF headers and `#!` lines: elf(5), execve(2). Tests: tests/integration/launcher/test_refusals.py. */
#define _GNU_SOURCE
#include "elf_check.h"

#include "../engine/trials/needed_calls.h"
#include "refusal_report.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#define MACHINE_NAME "x86_64"
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
#define MACHINE_NAME "aarch64"
#endif

/* The kernel reads 256 bytes for a `#!` line and follows five of them (fs/exec.c, fs/binfmt_script.c). Real
 * programs keep their program headers in the first page. */
enum { HEAD = 4096, SCRIPT_LINE = 256, SCRIPT_DEPTH = 5 };
/* The library is much smaller; a larger number means damage. */
enum { LIBRARY_SPAN = 64 << 20 };

struct image {
    const char *path;
    int fd;
    struct stat st;
    size_t used;
    _Alignas(Elf64_Ehdr) char head[HEAD];
};

static bool image_open(struct image *image, const char *path, struct writer *error)
{
    image->path = path;
    image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (image->fd < 0)
        return refuse_path_by(error, path, " cannot be opened", errno);
    ssize_t n = fstat(image->fd, &image->st) == 0 ? pread(image->fd, image->head, HEAD, 0) : -1;
    if (n < 0 || !S_ISREG(image->st.st_mode)) {
        close(image->fd);
        return refuse_path(error, path, " is not a regular file");
    }
    image->used = (size_t)n;
    return true;
}

static bool read_at(const struct image *image, uint64_t offset, void *to, size_t n)
{
    if (offset <= image->used && n <= image->used - offset) {
        memcpy(to, image->head + offset, n);
        return true;
    }
    return offset <= INT64_MAX && pread(image->fd, to, n, (off_t)offset) == (ssize_t)n;
}

static bool is_elf(const struct image *image)
{
    return image->used >= SELFMAG && !memcmp(image->head, ELFMAG, SELFMAG);
}

static bool elf_header(const struct image *image, Elf64_Ehdr *header, struct writer *error)
{
    if (!is_elf(image) || !read_at(image, 0, header, sizeof *header))
        return refuse_path(error, image->path, " is not an ELF file");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != MACHINE)
        return refuse_path(error, image->path, " is not built for this machine, " MACHINE_NAME);
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_version != EV_CURRENT)
        return refuse_path(error, image->path, " has a damaged ELF header");
    return true;
}

/* Checks the headers for which glibc and musl drop a library with only a warning. */
static bool check_identity(const struct image *image, const Elf64_Ehdr *header, struct writer *error)
{
    static const unsigned char zero[EI_NIDENT - EI_ABIVERSION];
    unsigned char abi = header->e_ident[EI_OSABI];
    if (header->e_type == ET_DYN && header->e_ident[EI_VERSION] == EV_CURRENT &&
        (abi == ELFOSABI_SYSV || abi == ELFOSABI_GNU) &&
        !memcmp(header->e_ident + EI_ABIVERSION, zero, sizeof zero))
        return true;
    return refuse_path(error, image->path, " is not a shared library");
}

static bool check_segment(const Elf64_Phdr *segment, uint64_t low, uint64_t file_size)
{
    uint64_t align = segment->p_align;
    /* A segment of zeroes has no bytes in the file, so its offset does not matter. */
    bool there = !segment->p_filesz ||
                 (segment->p_offset <= file_size && segment->p_filesz <= file_size - segment->p_offset);
    return there && segment->p_filesz <= segment->p_memsz && segment->p_memsz <= LIBRARY_SPAN &&
           segment->p_vaddr >= low && segment->p_vaddr <= LIBRARY_SPAN && align >= HEAD &&
           (align & (align - 1)) == 0 && (segment->p_vaddr - segment->p_offset) % align == 0;
}

/* Finds a cut-off copy, which opens, but which the loader drops. */
static bool check_segments(const struct image *image, const Elf64_Ehdr *header, struct writer *error)
{
    bool dynamic = false;
    uint64_t low = 0;
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        if (!read_at(image, header->e_phoff + i * sizeof segment, &segment, sizeof segment))
            return refuse_path(error, image->path, " is cut short");
        dynamic |= segment.p_type == PT_DYNAMIC;
        if (segment.p_type != PT_LOAD)
            continue;
        if (!check_segment(&segment, low, (uint64_t)image->st.st_size))
            return refuse_path(error, image->path, " is cut short or damaged");
        low = segment.p_vaddr + segment.p_memsz;
    }
    return dynamic || refuse_path(error, image->path, " is not a shared library");
}

static bool check_executable_mapping(const struct image *image, struct writer *error)
{
    void *at = mmap(NULL, HEAD, PROT_READ | PROT_EXEC, MAP_PRIVATE, image->fd, 0);
    if (at == MAP_FAILED)
        return refuse_path_by(error, image->path, " cannot be mapped executable", errno);
    munmap(at, HEAD);
    return true;
}

bool library_inspect(const char *path, struct writer *error)
{
    struct image image;
    Elf64_Ehdr header;
    if (!image_open(&image, path, error))
        return false;
    bool good = elf_header(&image, &header, error) && check_identity(&image, &header, error) &&
                check_segments(&image, &header, error) && check_executable_mapping(&image, error);
    close(image.fd);
    return good;
}

/* The loader's secure-execution mode drops a preload given by its path (AT_SECURE, ld.so(8)). */
static bool check_rights(const struct image *image, struct writer *error)
{
    bool other_user = (image->st.st_mode & S_ISUID) && image->st.st_uid != geteuid();
    bool other_group = (image->st.st_mode & S_ISGID) && image->st.st_gid != getegid();
    if (other_user || other_group)
        return refuse_path(error, image->path, " is set-uid or set-gid: the loader ignores a preload there");
    if (fgetxattr(image->fd, "security.capability", NULL, 0) > 0)
        return refuse_path(error, image->path, " has file capabilities: the loader ignores a preload there");
    return true;
}

static bool find_loader(const struct image *image, struct program *out, struct writer *error)
{
    Elf64_Ehdr header;
    if (!elf_header(image, &header, error))
        return false;
    out->is_static = true;
    out->loader[0] = 0;
    out->memory = 0;
    for (uint32_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        if (!read_at(image, header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            return refuse_path(error, image->path, " is cut short");
        if (segment.p_type == PT_LOAD)
            out->memory += segment.p_memsz;
        if (segment.p_type != PT_INTERP)
            continue;
        if (segment.p_filesz < 2 || segment.p_filesz > sizeof out->loader ||
            !read_at(image, segment.p_offset, out->loader, segment.p_filesz) ||
            out->loader[segment.p_filesz - 1] != 0)
            return refuse_path(error, image->path, " names no usable loader");
        out->is_static = false;
    }
    return true;
}

/* The loader drops a preload for which a limit leaves no memory (getrlimit(2)). A static program is refused, or runs without. */
static bool check_room(const struct program *program, struct writer *error)
{
    static const struct {
        int limit;
        const char *says;
    } limits[] = {{RLIMIT_AS, " has too little memory by RLIMIT_AS (ulimit -v): raise it to "},
                  {RLIMIT_DATA, " has too little memory by RLIMIT_DATA (ulimit -d): raise it to "}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits && !program->is_static; i++) {
        uint64_t needed = NEEDED_MEMORY + program->memory;
        struct rlimit set;
        if (getrlimit(limits[i].limit, &set) == 0 && set.rlim_cur >= needed && needed >= program->memory)
            continue;
        refuse_path(error, program->elf, limits[i].says);
        put_number(error, needed / 1024 + 1);
        put_words(error, " KB at least, as the loader would leave out the shield");
        return false;
    }
    return true;
}

/* The path after `#!`; false when this is not a script. */
static bool script_interpreter(const struct image *image, char to[SCRIPT_LINE])
{
    size_t end = image->used < SCRIPT_LINE ? image->used : SCRIPT_LINE, at = 2;
    if (end < 2 || image->head[0] != '#' || image->head[1] != '!')
        return false;
    while (at < end && (image->head[at] == ' ' || image->head[at] == '\t'))
        at++;
    size_t used = 0;
    while (at < end && !strchr(" \t\n", image->head[at]))
        to[used++] = image->head[at++];
    to[used] = 0;
    return used > 0;
}

bool program_inspect(const char *path, struct program *out, struct writer *error)
{
    char next[SCRIPT_LINE];
    if (strlen(path) >= sizeof out->elf)
        return refuse_path(error, path, " is too long a path");
    strcpy(out->elf, path);
    for (int depth = 0; depth <= SCRIPT_DEPTH; depth++) {
        struct image image;
        if (!image_open(&image, out->elf, error))
            return false;
        bool script = script_interpreter(&image, next), good = false;
        if (!script && !is_elf(&image))
            refuse_path(error, out->elf, " is neither an ELF program nor a script that starts with #!");
        else if (!script)
            good = check_rights(&image, error) && find_loader(&image, out, error) && check_room(out, error);
        close(image.fd);
        if (!script)
            return good;
        strcpy(out->elf, next);
    }
    return refuse_path(error, path, " is a script whose interpreters never end");
}
