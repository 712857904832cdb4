/* Judges a forked copy before exec. It may exec, which is judged, or exit. For any other guarded call it counts as a child
 * process, and its own program must be allowed. Tests: tests/integration/engine/test_midst.py. */
#include "../base/proc_path.h"
#include "../state/process_state.h"
#include "../files/file_verdict.h"
#include "exec_image.h"

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
static const char *const opened_before_exec[] = {"/dev/null", "/proc/self/fd", "/proc/self/fd/"};

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
    struct stat st = {0};
    if (!is_error(self))
        KERNEL(fstat, self, &st);
    struct inode inode = {st.st_dev, st.st_ino};
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
