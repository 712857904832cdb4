/* Tests: tests/security/cases/test_programs.py. */
#include "exec.h"

#include <linux/elf.h>
#include <linux/resource.h>

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../fds/own_fds.h"
#include "../files/file_verdict.h"
#include "../trials/needed_calls.h"

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_AARCH64 };
#endif

/* Loaders that obey LD_PRELOAD. */
static const char *const loaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
                                      "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"};

static bool is_known_loader(struct text path)
{
    for (uint32_t i = 0; i < sizeof loaders / sizeof *loaders; i++)
        if (text_equal(path, text_of(loaders[i])))
            return true;
    return path.len && text_equal(path, kept_text(sealed->process.loader));
}

int32_t find_listed_program(const struct inode *inode)
{
    uint32_t count = sealed->policy.child_count, i = find_inode(sealed->files.programs, count, *inode);
    return i < count ? (int32_t)i : -1;
}

/* The path in PT_INTERP, terminated in `loader`, and the bytes of all segments. False: there is none, or it cannot be read. */
static bool read_loader(int64_t file, const char *head, uint64_t n, char *loader, uint64_t *memory)
{
    bool found = false;
    *memory = 0;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    if (n < sizeof *header || header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        uint64_t at = header->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
        if (at > n || n - at < sizeof(Elf64_Phdr))
            return false;
        const Elf64_Phdr *segment = (const Elf64_Phdr *)(head + at);
        uint64_t len = segment->p_filesz;
        if (segment->p_type == PT_LOAD)
            *memory += segment->p_memsz;
        if (segment->p_type == PT_INTERP)
            found = len > 1 && len <= LOADER_MAX &&
                    KERNEL(pread64, file, loader, len, segment->p_offset) == (int64_t)len &&
                    loader[len - 1] == 0;
    }
    return found;
}

struct text find_own_loader(char *buffer, uint32_t cap)
{
    char head[HEAD];
    int64_t file =
        cap < LOADER_MAX ? -EINVAL : KERNEL(openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (is_error(file))
        return TEXT("");
    uint64_t memory;
    int64_t n = KERNEL(pread64, file, head, sizeof head, 0);
    bool found = n > 0 && read_loader(file, head, (uint64_t)n, buffer, &memory);
    KERNEL(close, file);
    return found ? text_of(buffer) : TEXT("");
}

/* The interpreter's path of a `#!` line (execve(2)), terminated in place; NULL when there is none. */
static char *script_interpreter(char *head, uint64_t n)
{
    uint64_t start = 2;
    while (start < n && (head[start] == ' ' || head[start] == '\t'))
        start++;
    uint64_t end = start;
    while (end < n && head[end] != '\n' && head[end] != ' ' && head[end] != '\t' && head[end])
        end++;
    if (end == start || end >= n)
        return NULL;
    head[end] = 0;
    return head + start;
}

/* The limit of descriptors need not be checked, as the library is opened here. `program`: the bytes of its segments. */
static bool has_room_for_library(uint64_t program)
{
    uint64_t memory[2], data[2], needed = NEEDED_MEMORY + program;
    return needed >= program && !is_error(KERNEL(prlimit64, 0, RLIMIT_AS, 0, memory)) &&
           memory[0] >= needed && !is_error(KERNEL(prlimit64, 0, RLIMIT_DATA, 0, data)) && data[0] >= needed;
}

/* The loader drops the library silently where it cannot read it, and where the program gains a privilege (ld.so(8):
 * secure-execution mode): by its file's bits (inspect_file), or if this process's ids differ. */
static bool loader_takes_library(void)
{
    uint32_t real, effective, saved;
    int64_t library =
        KERNEL(openat, AT_FDCWD, kept_text(sealed->process.library.path).at, O_RDONLY | O_CLOEXEC, 0);
    if (is_error(library))
        return false;
    struct inode found = inode_of(library);
    KERNEL(close, library);
    if (!same_inode(found, sealed->process.library.inode))
        return false;
    if (is_error(KERNEL(getresuid, &real, &effective, &saved)) || real != effective)
        return false;
    return !is_error(KERNEL(getresgid, &real, &effective, &saved)) && real == effective;
}

/* Leases a file that the function could change (fcntl(2)): an open for writing waits until the lease ends, when the file runs
 * and the kernel denies writes to it. False: it cannot be leased here. */
static bool lease_file(int64_t file, int64_t *error)
{
    if (!may_change((int32_t)file))
        return true;
    /* A signal that is ignored by default, until the owner is cleared. */
    KERNEL(fcntl, file, F_SETSIG, SIGURG);
    int64_t leased = KERNEL(fcntl, file, F_SETLEASE, F_RDLCK);
    KERNEL(fcntl, file, F_SETOWN, 0); /* no signal when an open waits */
    if (leased == -EAGAIN)
        *error = -ETXTBSY; /* it is open for writing: as from execve */
    return leased == 0;
}

/* Opens one of the files. Returns the number of bytes in `head`, or -1. */
static int64_t inspect_file(const char *path, char *head, struct started_files *out, bool *gains)
{
    int64_t file = out->count < FILES_MAX
                       ? own_fd_take(KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0))
                       : -ELOOP;
    if (is_error(file))
        return -1;
    out->files[out->count++] = (int32_t)file;
    struct stat st = stat_of(file);
    *gains = st.st_mode & (S_ISUID | S_ISGID) ||
             !is_error(KERNEL(fgetxattr, file, "security.capability", NULL, 0));
    if ((st.st_mode & S_IFMT) != S_IFREG || !lease_file(file, &out->error))
        return -1;
    return KERNEL(pread64, file, head, HEAD, 0);
}

void inspect_program(int32_t object, char *head, struct started_files *out)
{
    static const char elf[] = {0x7f, 'E', 'L', 'F'};
    char path[LOADER_MAX];
    bool gains;
    *out = (struct started_files){.kind = PROGRAM_STATIC};
    if (!loader_takes_library())
        return;
    path_through(object, TEXT(""), path, sizeof path);
    while (out->count < FILES_MAX) {
        int64_t n = inspect_file(path, head, out, &gains);
        if (n < 4)
            return;
        if (same_bytes(head, elf, sizeof elf)) {
            char loader[LOADER_MAX];
            uint64_t memory;
            if (!read_loader(out->files[out->count - 1], head, (uint64_t)n, loader, &memory) || gains ||
                !has_room_for_library(memory) || !is_known_loader(text_of(loader)) ||
                inspect_file(loader, head, out, &gains) < 4)
                return;
            out->kind = PROGRAM_DYNAMIC;
            return;
        }
        char *interpreter = head[0] == '#' && head[1] == '!' ? script_interpreter(head, (uint64_t)n) : NULL;
        struct text next = text_of(interpreter ? interpreter : "");
        if (!next.len || next.len >= sizeof path)
            return;
        copy_bytes(path, next.at, next.len + 1);
        out->is_script = true;
    }
}

void close_files(struct started_files *files)
{
    for (uint32_t i = 0; i < files->count; i++)
        own_fd_close(files->files[i]);
    files->count = 0;
}
