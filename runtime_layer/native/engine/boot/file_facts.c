/* Tests: tests/integration/engine/test_mounts.py. */
#include "file_facts.h"

#include "../base/filesystem.h"
#include "../base/linux_abi.h"
#include "../fds/own_fds.h"
#include "../files/handler_files.h"
#include "../files/open_fastpath.h"

/* Whether the path is a directory, and not a link to one. */
static bool is_directory(const char *path, struct inode *inode)
{
    struct stat st = {0};
    KERNEL(newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
    *inode = (struct inode){st.st_dev, st.st_ino};
    return (st.st_mode & S_IFMT) == S_IFDIR;
}

static bool read_objects(struct file_facts *files, struct writer *error)
{
    const struct policy *policy = &sealed->policy;
    struct inode root = inode_at("/");
    bool has_tmp = is_directory("/tmp", &files->tmp);
    if (!has_tmp && policy->modes[READ_WRITE_TMP] != MODE_ALLOW)
        return fail(error, "read_write_tmp: there is no directory, but a link or nothing, at /tmp");
    if (!has_tmp && !policy->keeps_tmp)
        return fail(error, "clear_tmp: there is no directory, but a link or nothing, at /tmp");
    if (!root.ino || !inode_at("/proc/self/fd").ino)
        return fail(error, "cannot read /proc/self/fd");
    files->tmp_is_mount = files->tmp.dev != root.dev;
    for (uint32_t i = 0; i < policy->child_count; i++) {
        char path[PAGE];
        struct text t = policy_text(policy, policy->child[i].path);
        if (t.len >= sizeof path)
            continue;
        copy_bytes(path, t.at, t.len);
        path[t.len] = 0;
        files->programs[i] = inode_at(path);
    }
    return true;
}

/* Finds the helper with which a JDK starts programs: <home>/lib/jspawnhelper beside <home>/bin/java. Skipped if the function
 * could change it. */
static void read_spawn_helper(struct file_facts *files, struct text program)
{
    char path[PAGE];
    struct writer w = {path, 0, sizeof path, false};
    put(&w, (struct text){program.at, program.len - base_name(program).len});
    put_words(&w, "../lib/jspawnhelper");
    put_char(&w, 0);
    int64_t file = w.full ? -ENAMETOOLONG : KERNEL(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (is_error(file))
        return;
    if (!may_change((int32_t)file))
        files->spawn_helper = inode_of(file);
    KERNEL(close, file);
}

/* Another wrapper may set _HANDLER to its own handler, and keep the function's in another variable. */
static bool read_handlers(struct handlers *handlers, const struct start *start)
{
    struct text root = choose_fact(start, TASK_ROOT);
    handlers->have_one_name = true;
    for (uint32_t i = FIRST_HANDLER; i < CARRIED_COUNT && root.len; i++) {
        struct text inherited = start->found.from_parent[i], own = start->found.own[i];
        if (!add_handler(handlers, root, inherited) ||
            (!text_equal(own, inherited) && !add_handler(handlers, root, own)))
            return fail(
                start->error,
                "read_handler: the handler has too many files, too long a name, or a folder that cannot "
                "be read");
    }
    return true;
}

bool read_file_facts(struct file_facts *files, const struct start *start)
{
    if (sealed->process.language == LANGUAGE_JAVA)
        read_spawn_helper(files, start->program);
    return read_handlers(&files->handlers, start) && read_objects(files, start->error);
}

void keep_references(struct file_facts *files)
{
    /* /tmp may be a subvolume, which has another device number in the file system of /. */
    bool has_log = sealed->process.log_pipe.ino && !is_nameless_pipe(sealed->process.log);
    files->root_is_clear =
        files->tmp_is_mount && !leads_to_root_filesystem("/tmp") && !files->handlers.are_on_root && !has_log;
    keep_read_only_mounts(files->read_only_mounts);
    files->tmp_directory = keep_tmp_directory();
}

void drop_references(void)
{
    const struct file_facts *files = &sealed->files;
    for (uint32_t i = 0; i < READ_ONLY_MOUNTS; i++)
        if (files->read_only_mounts[i].id)
            own_fd_close(files->read_only_mounts[i].directory);
    if (files->tmp_directory)
        own_fd_close(files->tmp_directory);
}
