/* Tests: tests/integration/engine/test_read_only_mounts.py. */
#include "read_only_mounts.h"

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../fds/own_fds.h"

/* The function's folder (LAMBDA_TASK_ROOT), its layers, and, where a container image has its handler on /, the mount of / with
 * an empty prefix. */
enum { TASK, LAYERS, ROOT };

static struct text place_of(uint32_t i)
{
    struct text root = kept_text(sealed->process.task_root);
    if (i == TASK)
        return root.len ? root : TEXT("/var/task");
    return i == LAYERS ? TEXT("/opt") : TEXT("");
}

static bool is_kept_mount(int32_t directory)
{
    struct stat st = {.st_dev = sealed->files.tmp.dev};
    KERNEL(fstat, directory, &st);
    return st.st_dev != sealed->files.tmp.dev && st.st_dev != sealed->process.log_pipe.dev &&
           is_read_only_and_exact(directory);
}

static struct kept_mount keep_mount(uint32_t place, uint64_t root)
{
    const char *path = place == ROOT ? "/" : place_of(place).at;
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (is_error(directory))
        return (struct kept_mount){0};
    uint64_t id = mount_of((int32_t)directory);
    int32_t wanted = sealed->process.log + 1 + (int32_t)place;
    bool is_kept = id && (place == ROOT || id != root) && is_kept_mount((int32_t)directory) &&
                   own_fd_keep(directory, wanted);
    KERNEL(close, directory);
    return is_kept ? (struct kept_mount){id, wanted} : (struct kept_mount){0};
}

void keep_read_only_mounts(struct kept_mount mounts[READ_ONLY_MOUNTS])
{
    const struct file_facts *files = &sealed->files;
    uint64_t root = root_mount();
    if (!files->tmp_is_mount || !files->handlers.have_one_name || sealed->process.log <= 2 || !root)
        return;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (i != ROOT || !files->root_is_clear)
            mounts[i] = keep_mount(i, root);
}

/* The absolute path, in `room`. A relative one starts at the working directory or the descriptor's directory, whose mount is
 * `*start`. Empty: it is too long, or unknown. */
static struct text make_absolute(const struct open_call *o, struct text path, char *room, uint32_t cap,
                                 uint64_t *start)
{
    const struct text nothing = {NULL, 0};
    if (!(*start = mount_of(o->directory)))
        return nothing;
    int64_t len = o->directory == AT_FDCWD ? KERNEL(getcwd, room, cap) - 1 /* its end is counted */
                                           : path_of(o->directory, room, cap).len;
    if (len <= 1 || (uint64_t)len + 1 + path.len >= cap || room[0] != '/')
        return nothing;
    struct writer w = {room, (uint32_t)len, cap, false};
    put_char(&w, '/');
    put(&w, path);
    put_char(&w, 0);
    return (struct text){room, w.used - 1};
}

static bool may_name_handler(struct text path)
{
    struct text name = base_name(path);
    for (uint32_t i = 0; i < sealed->files.handlers.count; i++)
        if (text_equal(name, text_of(sealed->files.handlers.names[i])))
            return true;
    return false;
}

static bool leads_below(struct text path, struct text place)
{
    return text_starts(path, place) && path.len > place.len + 1 && path.at[place.len] == '/' &&
           path.at[place.len + 1] != '/';
}

/* The index of the mount on which a path begins; READ_ONLY_MOUNTS: none. */
static uint32_t find_mount(struct text path)
{
    uint32_t i = 0;
    while (i < READ_ONLY_MOUNTS && !(sealed->files.read_only_mounts[i].id && leads_below(path, place_of(i))))
        i++;
    return i;
}

/* With one thread, the kernel can start at the working directory or the descriptor instead of the mount's root. */
static int64_t open_relative(const struct open_call *o, const char *path, uint64_t flags)
{
    uint64_t start = mount_of(o->directory);
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (start && start == sealed->files.read_only_mounts[i].id)
            return open_beneath(o->directory, path, flags, 0);
    return TO_BE_JUDGED;
}

/* Not in a vfork child, which may have replaced the reference's number. */
int64_t open_on_read_only_mount(const struct open_call *o, uint64_t flags)
{
    enum { LONGEST = 512 };
    char given[LONGEST], room[LONGEST];
    if (!is_memory_owner())
        return TO_BE_JUDGED;
    int64_t len = read_user_string(given, o->path, sizeof given);
    struct text path = {given, len < 0 ? 0 : (uint32_t)len};
    if (!path.len || may_name_handler(path))
        return TO_BE_JUDGED;
    bool is_relative = path.at[0] != '/';
    if (is_relative && is_single_threaded())
        return open_relative(o, given, flags);
    uint64_t start = 0;
    if (is_relative)
        path = make_absolute(o, path, room, sizeof room, &start);
    uint32_t mount = path.len ? find_mount(path) : READ_ONLY_MOUNTS;
    if (mount == READ_ONLY_MOUNTS ||
        (start && start != sealed->files.read_only_mounts[mount].id)) /* another folder has this path now */
        return TO_BE_JUDGED;
    return open_beneath(sealed->files.read_only_mounts[mount].directory, path.at + place_of(mount).len + 1,
                        flags, 0);
}
