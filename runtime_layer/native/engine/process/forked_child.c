/* A forked copy that has not called exec: it may exec, which is judged, or exit. Whatever else it does that a policy
 * looks at, it does as a child process, and the program that it is must be one that may be started. */
#include "../base/handlers.h"
#include "../base/proc_path.h"
#include "../state/process_state.h"
#include "../files/file_verdict.h"
#include "exec_image.h"

/* What it may do on its way to exec: look which descriptors there are to close. False: it does something else. */
static bool list_descriptors(const struct call *call, int64_t *result)
{
    static const char *const listings[] = {"/proc/self/fd", "/proc/self/fd/", "/dev/fd", "/dev/fd/"};
    char path[16];
    uint64_t pointer = call->nr == __NR_openat ? call->arg[1] : call->arg[0];
    uint64_t flags = call->nr == __NR_openat ? call->arg[2] : call->arg[1];
#ifdef __NR_open
    bool opens = call->nr == __NR_openat || call->nr == __NR_open;
#else
    bool opens = call->nr == __NR_openat;
#endif
    if (!opens || read_user_string(path, pointer, sizeof path) < 0)
        return false;
    for (uint32_t i = 0; i < sizeof listings / sizeof *listings; i++)
        if (text_equal(text_of(path), text_of(listings[i]))) {
            *result = KERNEL(openat, AT_FDCWD, listings[i], (uint32_t)flags, 0);
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
    return refuses(call, verdict_program(&sealed.policy, path, find_listed_program(&inode), PROGRAM_DYNAMIC),
                   &facts);
}

bool forked_copy_ends(struct call *call)
{
    int64_t result = -EACCES;
    if (list_descriptors(call, &result)) {
        answer(call, result);
        return true;
    }
    bool is_worker = sealed.forks_workers && !is_ready();
    bool judges = sealed.policy.modes[CREATE_CHILD_PROCESS] != MODE_ALLOW && !is_starting() && !is_worker;
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
