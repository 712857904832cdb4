#include "read_only_mounts.h"

#include <linux/openat2.h>

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../base/proc_path.h"
#include "../base/user_memory.h"
#include "../state/process_state.h"
#include "../fds/own_fds.h"

/* Where the function lies (LAMBDA_TASK_ROOT), its layers, and what is neither: of a container image the handler lies on the mount
 * of /, whose paths begin with nothing. */
enum { TASK, LAYERS, ROOT };

static struct text place_of(const struct sealed *s, uint32_t i)
{
    const char *root = s->environment + s->task_root;
    if (i == TASK)
        return *root ? text_of(root) : TEXT("/var/task");
    return i == LAYERS ? TEXT("/opt") : TEXT("");
}

static bool is_to_be_kept(const struct sealed *s, int32_t directory)
{
    struct stat st = {.st_dev = s->tmp.dev};
    KERNEL(fstat, directory, &st);
    return st.st_dev != s->tmp.dev && st.st_dev != s->log_pipe.dev && is_read_only_and_exact(directory);
}

static struct kept_mount keep_mount(const struct sealed *s, uint32_t place, uint64_t root)
{
    const char *path = place == ROOT ? "/" : place_of(s, place).at;
    int64_t directory = KERNEL(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (is_error(directory))
        return (struct kept_mount){0};
    uint64_t id = mount_of((int32_t)directory);
    int32_t wanted = s->log + 1 + (int32_t)place;
    int64_t kept = -EBADF;
    if (id && (place == ROOT || id != root) && is_to_be_kept(s, (int32_t)directory))
        kept = KERNEL(fcntl, directory, F_DUPFD_CLOEXEC, wanted);
    KERNEL(close, directory);
    if (kept == wanted) {
        own_fd_mark(wanted);
        return (struct kept_mount){id, wanted};
    }
    if (kept >= 0) /* the number is somebody's */
        KERNEL(close, kept);
    return (struct kept_mount){0};
}

void drop_read_only_mounts(const struct sealed *s)
{
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (s->read_only_mounts[i].id)
            own_fd_close(s->read_only_mounts[i].directory);
}

void keep_read_only_mounts(struct sealed *s)
{
    uint64_t root = root_mount();
    if (!s->tmp_is_mount || !s->handlers_have_one_name || s->log <= 2 || !root)
        return;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (i != ROOT || !s->root_is_clear)
            s->read_only_mounts[i] = keep_mount(s, i, root);
}

/* The path from / on: what is relative is so to where the program, or the descriptor, is at this moment; `*start` is that mount,
 * 0 of an absolute path. */
static struct text read_path(const struct opening *o, char *room, uint32_t cap, uint64_t *start)
{
    const struct text nothing = {NULL, 0};
    char first;
    uint32_t used = 0;
    *start = 0;
    if (!read_user(&first, o->path, 1))
        return nothing;
    if (first != '/') {
        /* What a descriptor stands for is asked for by a path itself: of the only thread there is a shorter way. */
        if (o->directory != AT_FDCWD && is_single_threaded())
            return nothing;
        if (!(*start = mount_of(o->directory)))
            return nothing;
        int64_t len = o->directory == AT_FDCWD ? KERNEL(getcwd, room, cap) - 1 /* its end is counted */
                                               : path_of(o->directory, room, cap).len;
        if (len <= 1 || len + 2 > cap || room[0] != '/')
            return nothing;
        used = (uint32_t)len;
        room[used++] = '/';
    }
    int64_t len = read_user_string(room + used, o->path, cap - used);
    return len <= 0 ? nothing : (struct text){room, used + (uint32_t)len};
}

static bool may_name_handler(struct text path)
{
    struct text name = base_name(path);
    for (uint32_t i = 0; i < sealed.handler_count; i++)
        if (text_equal(name, text_of(sealed.environment + sealed.handler_names[i])))
            return true;
    return false;
}

static bool leads_below(struct text path, struct text place)
{
    return text_starts(path, place) && path.len > place.len + 1 && path.at[place.len] == '/' &&
           path.at[place.len + 1] != '/';
}

/* Which mount a path begins on, by its place in the table; READ_ONLY_MOUNTS: none. */
static uint32_t find_mount(struct text path)
{
    uint32_t i = 0;
    while (i < READ_ONLY_MOUNTS &&
           !(sealed.read_only_mounts[i].id && leads_below(path, place_of(&sealed, i))))
        i++;
    return i;
}

/* Does the kernel say that it does not know, or that the path leaves the mount? From where the program stands, it may be allowed
 * to go on where it could not have come. */
static bool is_no_answer(int64_t result)
{
    switch (result) {
    case -EACCES:
    case -ELOOP:
    case -EXDEV:
    case -EAGAIN:
    case -EINVAL:
    case -ENOSYS:
    case -EPERM:
    case -EBADF: return true;
    }
    return false;
}

/* A vfork child may have laid anything over the number of the reference. */
int64_t open_on_read_only_mount(const struct opening *o, uint64_t flags)
{
    enum { LONGEST = 512 };
    char room[LONGEST];
    if (!is_memory_owner())
        return TO_BE_JUDGED;
    uint64_t start;
    struct text path = read_path(o, room, sizeof room, &start);
    uint32_t mount = path.len ? find_mount(path) : READ_ONLY_MOUNTS;
    if (mount == READ_ONLY_MOUNTS || may_name_handler(path) ||
        (start && start != sealed.read_only_mounts[mount].id)) /* what has this path now is another folder */
        return TO_BE_JUDGED;
    struct open_how how = {.flags = flags,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    const char *below = path.at + place_of(&sealed, mount).len + 1;
    int64_t result = KERNEL(openat2, sealed.read_only_mounts[mount].directory, below, &how, sizeof how);
    return is_no_answer(result) ? TO_BE_JUDGED : result;
}
