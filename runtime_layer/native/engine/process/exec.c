/* Judges execve and execveat for create_child_process: started programs are shielded too.
 *
 * The program is judged as an object (opened O_PATH). An allowed dynamic program gets the library and the policy, whatever its
 * environment is; a static one would run unshielded, so it is denied unless the list has `unshielded:`. Before the runtime
 * runs, a wrapper may start any program that can be shielded. Tests: tests/security/cases/test_programs.py. */
#include <linux/openat2.h>

#include "../base/filesystem.h"
#include "../base/syscall_ctx.h"
#include "../base/linux_abi.h"
#include "../base/procfs.h"
#include "../state/process_state.h"
#include "../fds/own_fds.h"
#include "../files/file_verdict.h"
#include "exec.h"

struct exec {
    int32_t directory;
    uint64_t path, argv, envp, flags;
};

struct program {
    int32_t object;   /* O_PATH */
    bool borrowed;    /* `object` is the caller's descriptor */
    bool is_nameless; /* a memory file, or a deleted one */
    struct text path; /* as the kernel knows it; empty when it does not fit */
    struct inode inode;
    struct started_files files;
};

/* The JDK starts every program through a helper that execs it. The helper is shielded like any child, so its exec is judged in
 * it; it does nothing else. */
static bool is_spawn_helper(const struct program *program)
{
    return same_inode(sealed->files.spawn_helper, program->inode);
}

static bool program_refused(const struct call *call, struct program *program, const uint64_t *argv,
                            struct scratch *scratch)
{
    inspect_program(program->object, scratch->line, &program->files);
    bool may_start = program->files.kind == PROGRAM_DYNAMIC && (is_starting() || is_spawn_helper(program));
    if (program->files.error || may_start)
        return false;
    struct verdict verdict = verdict_program(&sealed->policy, program->path,
                                             find_listed_program(&program->inode), program->files.kind);
    struct writer w = {scratch->link, 0, sizeof scratch->link, false};
    if (verdict.reason == REASON_STATIC)
        put_words(&w, "unshielded:");
    put(&w, program->path);
    struct facts facts = {.path = program->path, .allow = {scratch->link, w.used}, .arguments = argv};
    return refuses(call, verdict, &facts);
}

/* Opens the program; `path` receives the caller's spelling. 0, or an errno. */
static int64_t open_program(const struct exec *e, char *path, struct program *program)
{
    int64_t len = read_user_string(path, e->path, PAGE);
    program->borrowed = len == 0 && e->flags & AT_EMPTY_PATH;
    if (len < 0)
        return len;
    if (len == 0 && !program->borrowed)
        return -ENOENT;
    uint64_t nofollow = e->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    int64_t object = program->borrowed
                         ? own_fd_refer(e->directory)
                         : own_fd_take(KERNEL(openat, e->directory, path, O_PATH | O_CLOEXEC | nofollow, 0));
    program->object = (int32_t)object;
    return is_error(object) ? object : 0;
}

/* Judges the program, and fills its facts. 0: it may start. */
static int64_t judge_program(const struct call *call, const struct exec *e, struct program *program,
                             struct scratch *scratch)
{
    struct stat st = {0};
    int64_t result = KERNEL(fstat, program->object, &st);
    if (is_error(result))
        return result;
    if ((st.st_mode & S_IFMT) != S_IFREG)
        return (st.st_mode & S_IFMT) == S_IFLNK ? -ELOOP : -EACCES;
    program->is_nameless = st.st_nlink == 0;
    program->inode = (struct inode){st.st_dev, st.st_ino};
    program->path = path_of(program->object, scratch->other, sizeof scratch->other);
    if (object_refused(call, program->object, OBJECT_READ) ||
        program_refused(call, program, (const uint64_t *)e->argv, scratch))
        return -EACCES;
    return program->files.error;
}

/* Whether the given path leads to this program without leaving the mount of /. */
static bool leads_to_program(struct text given, const struct program *program)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV};
    int64_t object = KERNEL(openat2, -1, given.at, &how, sizeof how);
    if (is_error(object))
        return false;
    struct inode reached = inode_of(object);
    KERNEL(close, object);
    return same_inode(reached, program->inode);
}

/* The path for the kernel: the caller's spelling, as the program may read it. Empty: the program's descriptor, where the
 * function could replace the file of that name, so not on a read-only mount, nor on that of / in Lambda. */
static struct text path_to_start(const struct program *program, struct text given)
{
    bool stays = is_on_read_only_mount(program->object) || is_on_root_mount(program->object);
    if (program->borrowed || program->is_nameless || !stays || is_in_tmp(program->object))
        return TEXT("");
    return leads_to_program(given, program) ? given : program->path;
}

/* Whether an interpreter opens the program as /dev/fd/N (execveat(2)), which fails where that descriptor is closed on exec. */
static bool is_opened_by_interpreter(const struct exec *e, const struct program *program)
{
    return program->files.is_script &&
           !(program->borrowed && KERNEL(fcntl, e->directory, F_GETFD, 0) & FD_CLOEXEC);
}

static int64_t make_exec(const struct exec *e, const struct child_start *start, const struct program *program)
{
    uint64_t asks = e->flags & AT_EXECVE_CHECK;
    if (sealed->process.log > 2) /* ioctl(FIOCLEX) could close it in the child */
        KERNEL(fcntl, sealed->process.log, F_SETFD, 0);
    if (start->path[0] && !asks)
        return KERNEL(execve, start->path, e->argv, start->environment);
    if (start->path[0])
        return KERNEL(execveat, AT_FDCWD, start->path, e->argv, start->environment, asks);
    if (is_opened_by_interpreter(e, program))
        KERNEL(fcntl, program->object, F_SETFD, 0);
    return KERNEL(execveat, program->object, "", e->argv, start->environment, AT_EMPTY_PATH | asks);
}

static int64_t start_program(const struct call *call, const struct exec *e, struct program *program,
                             struct scratch *scratch)
{
    struct child_start start;
    int64_t result = judge_program(call, e, program, scratch);
    if (!result)
        result =
            child_start_make(&start, path_to_start(program, text_of(scratch->path)), program->path, e->envp);
    /* Released before exec, as a vfork child's exec does not return here. */
    scratch_give(scratch);
    if (!result) {
        if (is_memory_owner() && !(e->flags & AT_EXECVE_CHECK))
            report_folded(AT_END); /* the new program does not inherit these counts */
        result = make_exec(e, &start, program);
        child_start_release(&start);
    }
    return result;
}

enum outcome judge_exec(struct call *call)
{
    uint64_t *arg = call->arg;
    struct exec e = {AT_FDCWD, arg[0], arg[1], arg[2], 0};
    if (call->nr == __NR_execveat)
        e = (struct exec){(int32_t)arg[0], arg[1], arg[2], arg[3], (uint32_t)arg[4]};
    if (e.flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
        return answer(call, -EINVAL);
    struct scratch *scratch = scratch_take();
    if (!scratch)
        return answer(call, -EAGAIN);
    struct program program = {0};
    int64_t result = open_program(&e, scratch->path, &program);
    if (result) {
        scratch_give(scratch);
        return answer(call, result);
    }
    result = start_program(call, &e, &program, scratch);
    close_files(&program.files);
    own_fd_close(program.object);
    return answer(call, result);
}

/* The exact paths that languages open in a forked copy before exec. Their other calls there are not judged: signals, sessions,
 * groups, users, the umask, the working directory, their own descriptors.
 *
 *   libuv (src/unix/process.c, uv__process_child_init)   /dev/null for a descriptor that is ignored; setsid, F_DUPFD, dup2,
 *                                                        close, chdir, setgroups, setgid, setuid, rt_sigaction
 *   CPython (Modules/_posixsubprocess.c, child_exec)     /proc/self/fd without close_range; dup, dup2, chdir, umask, setsid,
 *                                                        setpgid, setgroups, setregid, setreuid, rt_sigaction
 *   OpenJDK (libjava/childproc.c, childProcess)          /proc/self/fd; dup2, close, F_SETFD, chdir, rt_sigaction
 *   glibc (io/closefrom.c)                               /proc/self/fd/ without close_range
 */
static const char opened_before_exec[][15] = {"/dev/null", "/proc/self/fd", "/proc/self/fd/"};

/* Carries out an open of these paths. False: it is another call. */
static bool opens_before_exec(const struct call *call, int64_t *result)
{
    char path[16];
#ifdef __NR_open
    const uint64_t *arg = call->nr == __NR_open ? call->arg : call->arg + 1;
#else
    const uint64_t *arg = call->arg + 1;
#endif
    bool opens = call->nr == __NR_openat || arg == call->arg;
    if (!opens || read_user_string(path, arg[0], sizeof path) < 0)
        return false;
    for (uint32_t i = 0; i < sizeof opened_before_exec / sizeof *opened_before_exec; i++)
        if (text_equal(text_of(path), text_of(opened_before_exec[i]))) {
            *result = KERNEL(openat, AT_FDCWD, opened_before_exec[i], (uint32_t)arg[1], 0);
            return true;
        }
    return false;
}

static bool own_program_refused(const struct call *call, struct scratch *scratch)
{
    int64_t self = KERNEL(openat, AT_FDCWD, "/proc/self/exe", O_PATH | O_CLOEXEC, 0);
    struct inode inode = inode_of(self);
    struct text path = path_of((int32_t)self, scratch->other, sizeof scratch->other);
    if (!is_error(self))
        KERNEL(close, self);
    struct facts facts = {.path = path, .allow = path};
    return refuses(call, verdict_program(&sealed->policy, path, find_listed_program(&inode), PROGRAM_DYNAMIC),
                   &facts);
}

bool answer_forked_copy(struct call *call)
{
    int64_t result = -EACCES;
    if (opens_before_exec(call, &result)) {
        answer(call, result);
        return true;
    }
    bool is_worker = sealed->process.forks_workers && !is_ready();
    bool judges = sealed->policy.modes[CREATE_CHILD_PROCESS] != MODE_ALLOW && !is_starting() && !is_worker;
    if (judges) {
        struct scratch *scratch = scratch_take();
        bool refused = !scratch || own_program_refused(call, scratch);
        if (scratch)
            scratch_give(scratch);
        if (refused) {
            answer(call, result);
            return true;
        }
    }
    accept_forked_copy();
    return false;
}
