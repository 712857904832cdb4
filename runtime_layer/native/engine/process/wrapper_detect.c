/* Tests: tests/integration/chained_wrappers/test_stage.py. */
#include "wrapper_detect.h"

#include "../state/sealed_state.h"

/* Programs that run scripts and start others. One file can be all of them: busybox, and the coreutils of small systems, whose
 * `env` is a script (`#!/usr/bin/coreutils --coreutils-prog-shebang=env`). */
static const char *const shells[] = {"bash", "sh", "dash", "env", "busybox", "coreutils"};

/* Whether an argument is exactly the path of the runtime. */
static bool has_runtime_argument(void)
{
    const char *runtime = kept_text(sealed->process.runtime).at;
    char bytes[512];
    uint32_t argument = 0, at = 0;
    bool same = true, found = false;
    int64_t n = 0,
            file = *runtime ? KERNEL(openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0) : -1;
    while (!is_error(file) && !found && (n = KERNEL(read, file, bytes, sizeof bytes)) > 0)
        for (int64_t i = 0; i < n && !found; i++) {
            same = same && bytes[i] == runtime[at++];
            if (bytes[i])
                continue;
            found = same && argument > 0;
            argument++;
            same = true;
            at = 0;
        }
    if (!is_error(file))
        KERNEL(close, file);
    return found;
}

/* Whether the runtime is a script: its path is among the arguments of its interpreter. */
static bool is_script(const char *path)
{
    char begin[2] = {0, 0};
    int64_t file = KERNEL(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (is_error(file))
        return true; /* unknown: it does not count as a wrapper */
    KERNEL(read, file, begin, sizeof begin);
    KERNEL(close, file);
    return begin[0] == '#' && begin[1] == '!';
}

bool is_wrapper(struct text program)
{
    for (uint32_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (text_equal(program, text_of(shells[i])))
            return true;
    return has_runtime_argument() && !is_script(kept_text(sealed->process.runtime).at);
}
