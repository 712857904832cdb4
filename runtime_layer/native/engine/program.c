/* create_child_process: which programs may start, and that those which do are shielded too.
 *
 * The program is judged as an object (opened O_PATH). An allowed dynamic program gets our library and the
 * policy back, whatever environment it was given; a static one would run free, so it is denied unless the list
 * says `unshielded:`.
 */
#include <linux/elf.h>

#include "files.h"
#include "judges.h"
#include "state.h"

enum { INTERPRETERS = 4, HEAD = 1024, VARIABLES = 2000, PRELOAD_MAX = 1024 };

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_AARCH64 };
#endif

struct program {
    int32_t object;   /* O_PATH */
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

/* Can our library be loaded into it? Follows `#!` as the kernel does. `head` is HEAD bytes of space. */
static enum program_kind kind_of(int32_t object, char *head)
{
    char link[40];
    path_through(object, TEXT(""), link, sizeof link);
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

static bool starts_with(uint64_t string, struct text prefix)
{
    char head[16];
    return prefix.len <= sizeof head && read_user(head, string, prefix.len) &&
           same_bytes(head, prefix.at, prefix.len);
}

/* Settings of ours, and those with which the loader would run or write something before our library is there
 * (ld.so(8)). */
static bool is_dropped(uint64_t string)
{
    static const char *const names[] = {"SHIELD_", "LD_AUDIT=", "LD_DEBUG", "LD_PROFILE"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (starts_with(string, text_of(names[i])))
            return true;
    return false;
}

/* Where the loader looks for libraries may be left out, not changed: code of theirs would run before ours. */
static bool is_other_library_path(uint64_t string)
{
    const char *own = sealed.environment + sealed.loader_path;
    char value[PRELOAD_MAX];
    if (!starts_with(string, TEXT("LD_LIBRARY_PATH=")))
        return false;
    int64_t len = read_user_string(value, string + 16, sizeof value);
    return len < 0 || !sealed.loader_path || !text_equal((struct text){value, (uint32_t)len}, text_of(own));
}

/* Was it preloaded into this process as well? */
static bool was_preloaded(struct text library)
{
    struct text list = text_of(sealed.environment + sealed.loader_preload), piece;
    while (sealed.loader_preload && list.len && text_next(&list, ':', &piece))
        if (text_equal(piece, library))
            return true;
    return false;
}

/* The child's environment: the caller's, with the settings and the preload put back. Entries point into the
 * caller's memory and the sealed pool. Returns how many, or an errno; `*preload` is the caller's LD_PRELOAD. */
static int64_t build_environment(uint64_t envp, uint64_t *out, uint64_t cap, uint64_t *preload)
{
    uint64_t n = 0;
    *preload = 0;
    for (uint32_t i = 0; i < sealed.setting_count; i++)
        out[n++] = (uint64_t)(sealed.environment + sealed.settings[i]);
    for (uint64_t i = 0; envp; i++) {
        uint64_t string;
        if (!read_user(&string, envp + i * 8, 8))
            return -EFAULT;
        if (!string)
            break;
        if (is_dropped(string) || is_other_library_path(string))
            continue;
        if (starts_with(string, TEXT("LD_PRELOAD="))) {
            *preload = string + 11;
            continue;
        }
        if (n + 3 > cap)
            return -E2BIG;
        out[n++] = string;
    }
    return (int64_t)n;
}

static uint64_t count_environment(uint64_t envp)
{
    uint64_t n = 0, string;
    while (envp && n < VARIABLES && read_user(&string, envp + n * 8, 8) && string)
        n++;
    return n;
}

/* "LD_PRELOAD=<ours>[:<those of theirs that this process has too>]" */
static bool write_preload(uint64_t theirs, char *out, uint32_t cap)
{
    struct text ours = text_of(sealed.environment + sealed.preload);
    struct writer w = {out, 0, cap, false};
    put(&w, TEXT("LD_PRELOAD="));
    put(&w, ours);
    char value[PRELOAD_MAX];
    int64_t len = theirs ? read_user_string(value, theirs, sizeof value) : 0;
    if (len < 0)
        return false;
    struct text rest = {value, (uint32_t)len}, piece;
    while (rest.len && text_next(&rest, ':', &piece))
        if (piece.len && !text_equal(piece, ours) && was_preloaded(piece)) {
            put_char(&w, ':');
            put(&w, piece);
        }
    put_char(&w, 0);
    return !w.full;
}

/* "SHIELD_STATE=<stage>:<log descriptor>:<runtime>" */
static bool write_state(char *out, uint32_t cap)
{
    struct writer w = {out, 0, cap, false};
    put(&w, sealed.stage == STAGE_STARTING ? TEXT("SHIELD_STATE=starting:")
            : is_ready()                   ? TEXT("SHIELD_STATE=ready:")
                                           : TEXT("SHIELD_STATE=running:"));
    if (sealed.log < 0)
        put(&w, TEXT("-1"));
    else
        put_number(&w, (uint32_t)sealed.log);
    put_char(&w, ':');
    put(&w, text_of(sealed.environment + sealed.runtime));
    put_char(&w, 0);
    return !w.full;
}

struct exec {
    int32_t directory;
    uint64_t path, argv, envp, flags;
};

/* The call itself; an empty path means the descriptor. */
static int64_t make_exec(const struct exec *e, const char *path, int32_t object)
{
    uint64_t count = count_environment(e->envp);
    if (count >= VARIABLES)
        return -E2BIG;
    uint64_t environment[count + MAX_SETTINGS + 4];
    uint64_t theirs;
    char preload[PRELOAD_MAX + 256], state[512];
    /* Ours comes first where the first one counts (our own settings), and last where the last one does (the
     * loader's): another thread may turn a string into one of ours once it was looked at. */
    environment[0] = (uint64_t)state;
    int64_t n = build_environment(e->envp, environment + 1, count + MAX_SETTINGS + 3, &theirs);
    if (is_error(n))
        return n;
    if (!write_preload(theirs, preload, sizeof preload) || !write_state(state, sizeof state))
        return -E2BIG;
    environment[++n] = (uint64_t)preload;
    environment[++n] = 0;
    if (sealed.log > 2) /* ioctl(FIOCLEX) would take the log from the child */
        KERNEL(fcntl, sealed.log, F_SETFD, 0);
    if (path[0])
        return KERNEL(execve, path, e->argv, environment);
    return KERNEL(execveat, object, "", e->argv, environment, AT_EMPTY_PATH);
}

/* Opens the program; `path` receives the caller's spelling. `*borrowed`: the descriptor is the caller's own. */
static int32_t open_program(const struct exec *e, char *path, bool *borrowed)
{
    int64_t len = read_user_string(path, e->path, PAGE);
    *borrowed = len == 0 && e->flags & AT_EMPTY_PATH;
    if (len < 0)
        return (int32_t)len;
    if (*borrowed)
        return e->directory;
    if (len == 0)
        return -ENOENT;
    uint64_t nofollow = e->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    return (int32_t)KERNEL(openat, e->directory, path, O_PATH | O_CLOEXEC | nofollow, 0);
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

enum outcome judge_exec(struct call *call)
{
    uint64_t *arg = call->arg;
    struct exec e = {AT_FDCWD, arg[0], arg[1], arg[2], 0};
    if (call->nr == __NR_execveat)
        e = (struct exec){(int32_t)arg[0], arg[1], arg[2], arg[3], arg[4]};
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return answer(call, -EAGAIN);
    bool borrowed;
    struct program program = {.object = open_program(&e, scratch->path, &borrowed)};
    if (program.object < 0) {
        scratch_give(scratch);
        return answer(call, program.object);
    }
    int64_t result = judge_program(call, &e, &program, scratch);
    if (is_error(result)) {
        scratch_give(scratch);
    } else {
        struct text given = text_of(scratch->path);
        bool plain = e.directory == AT_FDCWD || given.at[0] == '/';
        /* Where only listed programs may run, a descriptor is not used again: another could take its place. */
        bool by_descriptor = borrowed && sealed.policy.modes[CREATE_CHILD_PROCESS] != MODE_BLOCK;
        struct text path = by_descriptor                             ? TEXT("")
                           : !borrowed && plain && keeps_path(given) ? given
                                                                     : program.path;
        char copy[path.len + 1]; /* on this stack: a vfork child that succeeds never gives a scratch back */
        copy_bytes(copy, path.at, path.len);
        copy[path.len] = 0;
        scratch_give(scratch);
        result = make_exec(&e, copy, program.object);
    }
    if (!borrowed)
        KERNEL(close, program.object);
    return answer(call, result);
}
