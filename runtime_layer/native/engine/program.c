/* create_child_process: which programs may start, and that those which do are shielded too.
 *
 * The program is judged as an object (opened O_PATH). An allowed dynamic program gets our library and the
 * policy back, whatever environment it was given; a static one would run free, so it is denied unless the list
 * says `unshielded:`.
 */
#include <linux/elf.h>

#include "environment.h"
#include "files.h"
#include "judges.h"
#include "process.h"
#include "state.h"

enum { EXECVE_CHECK = 0x10000 /* AT_EXECVE_CHECK (execveat(2)): only asks */ };
enum { INTERPRETERS = 4, HEAD = 1024 };

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_AARCH64 };
#endif

struct program {
    int32_t object;   /* O_PATH, held while it is judged */
    bool borrowed;    /* the descriptor is the caller's own */
    struct text path; /* as the kernel knows it; empty when it does not fit */
    struct inode inode;
};

static int32_t listed_as(const struct inode *inode)
{
    for (uint32_t i = 0; i < sealed.policy.child_count; i++)
        if (sealed.programs[i].ino && sealed.programs[i].ino == inode->ino &&
            sealed.programs[i].dev == inode->dev)
            return (int32_t)i;
    return -1;
}

static enum program_kind kind_of_elf(const uint8_t *head, uint64_t n, uint32_t mode)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)head;
    if (n < sizeof *header || header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE ||
        header->e_phentsize != sizeof(Elf64_Phdr) || mode & (S_ISUID | S_ISGID))
        return PROGRAM_STATIC; /* nothing that would load our library: another class, machine, or set-uid */
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        uint64_t at = header->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
        if (at > n || n - at < sizeof(Elf64_Phdr))
            return PROGRAM_STATIC;
        if (((const Elf64_Phdr *)(head + at))->p_type == PT_INTERP)
            return PROGRAM_DYNAMIC;
    }
    return PROGRAM_STATIC;
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

/* The loader drops our library silently where it cannot read it, and where the program gains a privilege (ld.so(8):
 * secure-execution mode): by its file's capabilities here, by set-uid bits in kind_of_elf, or since this process's own
 * ids differ. */
static bool loader_takes_library(const char *program)
{
    uint32_t real, effective, saved;
    int64_t library = KERNEL(openat, AT_FDCWD, sealed.environment + sealed.preload, O_RDONLY | O_CLOEXEC, 0);
    struct stat st = {0};
    if (is_error(library))
        return false;
    KERNEL(fstat, library, &st);
    KERNEL(close, library);
    if (st.st_dev != sealed.library.dev || st.st_ino != sealed.library.ino ||
        !is_error(KERNEL(getxattr, program, "security.capability", NULL, 0)))
        return false;
    if (is_error(KERNEL(getresuid, &real, &effective, &saved)) || real != effective)
        return false;
    return !is_error(KERNEL(getresgid, &real, &effective, &saved)) && real == effective;
}

/* Can our library be loaded into it? Follows `#!` as the kernel does. `head` is HEAD bytes of space. */
static enum program_kind kind_of(int32_t object, char *head)
{
    char link[40];
    path_through(object, TEXT(""), link, sizeof link);
    if (!loader_takes_library(link))
        return PROGRAM_STATIC;
    int64_t file = KERNEL(openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    for (uint32_t i = 0; i <= INTERPRETERS; i++) {
        if (is_error(file))
            return PROGRAM_STATIC;
        struct stat st = {0};
        KERNEL(fstat, file, &st);
        int64_t n = KERNEL(pread64, file, head, HEAD, 0);
        KERNEL(close, file);
        if (n < 4)
            return PROGRAM_STATIC;
        if (same_bytes(head,
                       "\x7f"
                       "ELF",
                       4))
            return kind_of_elf((const uint8_t *)head, (uint64_t)n, st.st_mode);
        char *interpreter = head[0] == '#' && head[1] == '!' ? script_interpreter(head, (uint64_t)n) : NULL;
        if (!interpreter)
            return PROGRAM_STATIC;
        file = KERNEL(openat, AT_FDCWD, interpreter, O_RDONLY | O_CLOEXEC, 0);
    }
    return PROGRAM_STATIC;
}

static bool program_refused(const struct call *call, const struct program *program, const uint64_t *argv,
                            struct scratch *scratch)
{
    if (sealed.stage == STAGE_STARTING)
        return false;
    struct verdict verdict = verdict_program(&sealed.policy, program->path, listed_as(&program->inode),
                                             kind_of(program->object, scratch->line));
    struct writer w = {scratch->link, 0, sizeof scratch->link, false};
    if (verdict.reason == REASON_STATIC)
        put(&w, TEXT("unshielded:"));
    put(&w, program->path);
    struct facts facts = {.path = program->path, .allow = {scratch->link, w.used}, .arguments = argv};
    return refuses(call, verdict, &facts);
}

/* What is exec'd by path must be what was judged: a path that another thread could turn elsewhere is
 * replaced by the one that the kernel gave for the object, in which nothing is a link. */
static bool keeps_path(struct text given)
{
    for (uint32_t i = 0; i < sealed.policy.child_count; i++)
        if (text_equal(given, policy_text(&sealed.policy, sealed.policy.child[i].path)))
            return true;
    return sealed.policy.modes[CREATE_CHILD_PROCESS] != MODE_BLOCK || sealed.stage == STAGE_STARTING;
}

struct exec {
    int32_t directory;
    uint64_t path, argv, envp, flags;
};

/* Opens the program and holds it; `path` receives the caller's spelling. 0, or an errno. */
static int64_t open_program(const struct exec *e, char *path, struct program *program)
{
    int64_t len = read_user_string(path, e->path, PAGE);
    program->borrowed = len == 0 && e->flags & AT_EMPTY_PATH;
    if (len < 0)
        return len;
    if (len == 0 && !program->borrowed)
        return -ENOENT;
    uint64_t nofollow = e->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    int64_t object = program->borrowed ? e->directory
                                       : KERNEL(openat, e->directory, path, O_PATH | O_CLOEXEC | nofollow, 0);
    if (object < 0)
        return is_error(object) ? object : -EBADF;
    program->object = (int32_t)hold(object);
    return 0;
}

/* 0: may start. Fills program->path and inode. */
static int64_t judge_program(const struct call *call, const struct exec *e, struct program *program,
                             struct scratch *scratch)
{
    struct stat st = {0};
    int64_t result = KERNEL(fstat, program->object, &st);
    if (is_error(result))
        return result;
    if ((st.st_mode & S_IFMT) != S_IFREG)
        return (st.st_mode & S_IFMT) == S_IFLNK ? -ELOOP : -EACCES;
    program->inode = (struct inode){st.st_dev, st.st_ino};
    program->path = path_of(program->object, scratch->other, sizeof scratch->other);
    if (object_refused(call, program->object, OBJECT_READ) ||
        program_refused(call, program, (const uint64_t *)e->argv, scratch))
        return -EACCES;
    return 0;
}

/* How the program is named to the kernel; the empty path means its descriptor. */
static struct text path_to_start(const struct exec *e, const struct program *program, struct text given)
{
    bool plain = e->directory == AT_FDCWD || given.at[0] == '/';
    /* Where only listed programs may run, a descriptor is not used again: another could take its place. */
    if (program->borrowed)
        return sealed.policy.modes[CREATE_CHILD_PROCESS] == MODE_BLOCK ? program->path : TEXT("");
    return plain && keeps_path(given) ? given : program->path;
}

/* The call itself; the empty path means the descriptor. */
static int64_t make_exec(const struct exec *e, const struct child_start *start, int32_t object)
{
    bool asks = e->flags & EXECVE_CHECK;
    if (start->path[0] && !asks)
        return KERNEL(execve, start->path, e->argv, start->environment);
    return KERNEL(execveat, start->path[0] ? AT_FDCWD : object, start->path, e->argv, start->environment,
                  (start->path[0] ? 0 : AT_EMPTY_PATH) | (e->flags & EXECVE_CHECK));
}

enum outcome judge_exec(struct call *call)
{
    uint64_t *arg = call->arg;
    struct exec e = {AT_FDCWD, arg[0], arg[1], arg[2], 0};
    if (call->nr == __NR_execveat)
        e = (struct exec){(int32_t)arg[0], arg[1], arg[2], arg[3], (uint32_t)arg[4]};
    if (e.flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | EXECVE_CHECK))
        return answer(call, -EINVAL);
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return answer(call, -EAGAIN);
    struct program program = {0};
    struct child_start start;
    int64_t result = open_program(&e, scratch->path, &program);
    bool opened = result == 0;
    if (!result)
        result = judge_program(call, &e, &program, scratch);
    if (!result)
        result = child_start_make(&start, path_to_start(&e, &program, text_of(scratch->path)), e.envp);
    /* A vfork child that succeeds would give nothing back: from here on it holds only what it takes along. */
    scratch_give(scratch);
    if (opened)
        let_go(program.object);
    if (!result) {
        if (sealed.log > 2) /* ioctl(FIOCLEX) would take the log from the child */
            KERNEL(fcntl, sealed.log, F_SETFD, 0);
        result = make_exec(&e, &start, program.object);
        child_start_release(&start);
    }
    if (opened && !program.borrowed)
        KERNEL(close, program.object);
    return answer(call, result);
}

/* What a forked copy may do on its way to exec: look which descriptors there are to close. */
static bool lists_descriptors(const struct call *call)
{
    static const char *const listings[] = {"/proc/self/fd", "/proc/self/fd/", "/dev/fd", "/dev/fd/"};
    char path[16];
    uint64_t pointer = call->nr == __NR_openat ? call->arg[1] : call->arg[0];
#ifdef __NR_open
    bool opens = call->nr == __NR_openat || call->nr == __NR_open;
#else
    bool opens = call->nr == __NR_openat;
#endif
    if (!opens || read_user_string(path, pointer, sizeof path) < 0)
        return false;
    for (uint32_t i = 0; i < sizeof listings / sizeof *listings; i++)
        if (text_equal(text_of(path), text_of(listings[i])))
            return true;
    return false;
}

bool forked_copy_refused(const struct call *call)
{
    if (lists_descriptors(call))
        return false;
    bool is_worker = sealed.forks_workers && !is_ready();
    bool judges = sealed.policy.modes[CREATE_CHILD_PROCESS] != MODE_ALLOW && sealed.stage == STAGE_RUNNING;
    struct scratch *scratch = judges && !is_worker ? scratch_take() : NULL;
    if (scratch) {
        int64_t self = hold(KERNEL(openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC, 0));
        struct stat st = {0};
        if (!is_error(self))
            KERNEL(fstat, self, &st);
        struct inode inode = {st.st_dev, st.st_ino};
        struct text path = path_of((int32_t)self, scratch->other, sizeof scratch->other);
        close_held(self);
        struct facts facts = {.path = path, .allow = path};
        struct verdict verdict = verdict_program(&sealed.policy, path, listed_as(&inode), PROGRAM_DYNAMIC);
        bool refused = refuses(call, verdict, &facts);
        scratch_give(scratch);
        if (refused)
            return true;
    }
    accept_forked_copy();
    return false;
}
